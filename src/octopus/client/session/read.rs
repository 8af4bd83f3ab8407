//! Reads documents and lists within the memory budget; large ones are parsed in the compute pool.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Session;
use crate::{
    compute::INLINE_BYTES,
    octopus::client::{
        access_set::access_recorder,
        budget::response_memory::estimate_parsed_size,
        coalescing::SizeLimit,
        error::Error,
        json::{
            bounded::{BoundedJson, JsonBounds},
            forms::without_sensitive,
        },
        page::{Page, PageRange},
        path::ApiPath,
        response::RawResponse,
    },
};

impl Session {
    /// Reads a JSON document. The call holds the memory of its largest document until it ends.
    pub async fn get<T>(&self, path: &ApiPath) -> Result<T, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let route = path.route();
        self.read_typed(path, SizeLimit::Response, move |response| response.json(&route)).await
    }

    /// Reads a document into a type with named fields, after reserving memory for the parsed form.
    async fn read_typed<T: Send + 'static>(
        &self,
        path: &ApiPath,
        size: SizeLimit,
        parse: impl FnOnce(&RawResponse) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let response = self.read_response(path, size).await?;
        self.reserve(&response).await?;
        self.parse_and_record(response, path, parse).await
    }

    /// Reads a JSON document of any form, within [`JsonBounds::DOCUMENT`].
    pub async fn document(&self, path: &ApiPath) -> Result<BoundedJson, Error> {
        let route = path.route();
        let document =
            move |response: &RawResponse| response.document(&route, JsonBounds::DOCUMENT);
        self.read(path, SizeLimit::Response, document).await
    }

    /// Reserves the memory of a document's parsed form. Bodies up to [`INLINE_BYTES`] need no
    /// reservation.
    async fn reserve(&self, response: &RawResponse) -> Result<(), Error> {
        if response.body.len() <= INLINE_BYTES {
            return Ok(());
        }
        let body = response.body.clone();
        let needed = self.compute.run(move |_| Ok(estimate_parsed_size(&body))).await;
        let needed = needed.map_err(Error::Compute)?;
        let (budget, deadline) =
            (self.client.parsed_memory(), self.client.transport().memory_deadline());
        let limit = budget.owner_share();
        if needed > limit {
            return Err(Error::TooManyValues { needed, limit });
        }
        let reserved = self.memory.reserve(budget, self.fingerprint, needed, deadline).await;
        reserved.map_err(|_| Error::MemoryExhausted { sent: true })
    }

    /// Reads a page of a list. `path` requests the items of `window`; further items are dropped
    /// right after parsing, because each item costs work later. An item that does not have the form
    /// of `T` is logged and listed in [`Page::unreadable`].
    pub async fn page<T>(&self, path: &ApiPath, window: PageRange) -> Result<Page<T>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.typed_page(path, window, SizeLimit::Response).await
    }

    /// Reads a list without pages, which is a JSON array. An item that does not have the form of `T`
    /// is logged and listed in [`Page::unreadable`].
    pub async fn array<T>(&self, path: &ApiPath) -> Result<Page<T>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let route = path.route();
        let parse = move |response: &RawResponse| Page::parse_array(response, &route);
        let list = self.read_typed(path, SizeLimit::Response, parse).await?;
        list.log_unreadable(&path.route());
        Ok(list)
    }

    /// Reads a page and keeps all fields of its items.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TooLarge`] beyond the setting `execute_limit`.
    pub async fn page_of_objects(
        &self,
        path: &ApiPath,
        window: PageRange,
    ) -> Result<Page<Map<String, Value>>, Error> {
        self.typed_page(path, window, SizeLimit::Execute).await
    }

    async fn typed_page<T>(
        &self,
        path: &ApiPath,
        window: PageRange,
        size: SizeLimit,
    ) -> Result<Page<T>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let route = path.route();
        let parse = move |response: &RawResponse| Page::parse(response, &route, window);
        let page = self.read_typed(path, size, parse).await?;
        page.log_unreadable(&path.route());
        Ok(page)
    }

    /// Reads an object and keeps all of its fields, for example to change it and send it back.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TooLarge`] beyond the setting `execute_limit`.
    pub async fn object(&self, path: &ApiPath) -> Result<Map<String, Value>, Error> {
        let route = path.route();
        self.read_typed(path, SizeLimit::Execute, move |response| response.json(&route)).await
    }

    /// Reads a JSON document of any form for comparison with a later read. A document beyond
    /// [`JsonBounds::DOCUMENT`] gets its digest as the field `sha256`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TooLarge`] beyond the setting `execute_limit`.
    pub async fn comparable_document(&self, path: &ApiPath) -> Result<Value, Error> {
        let route = path.route();
        let state = move |response: &RawResponse| {
            let BoundedJson { value, omitted, .. } =
                response.document(&route, JsonBounds::DOCUMENT)?;
            let mut value = without_sensitive(value);
            if let Value::Object(object) = &mut value
                && !omitted.is_empty()
            {
                object.insert("sha256".to_owned(), Value::String(response.digest()));
            }
            Ok(value)
        };
        self.read(path, SizeLimit::Execute, state).await
    }

    /// Reads a response of any media type.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TooLarge`] beyond the setting `execute_limit`.
    pub async fn fetch(&self, path: &ApiPath) -> Result<RawResponse, Error> {
        self.read(path, SizeLimit::Execute, |response| Ok(response.clone())).await
    }

    /// Reads the response to a POST that changes nothing.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TooLarge`] beyond the setting `execute_limit`.
    pub(in crate::octopus) async fn read_by_post(
        &self,
        path: &ApiPath,
        body: &Value,
    ) -> Result<RawResponse, Error> {
        let response = self.post_read(path, body).await?;
        self.parse_and_record(response, path, |response| Ok(response.clone())).await
    }

    /// Reads and parses a response.
    async fn read<T: Send + 'static>(
        &self,
        path: &ApiPath,
        size: SizeLimit,
        parse: impl FnOnce(&RawResponse) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let response = self.read_response(path, size).await?;
        self.parse_and_record(response, path, parse).await
    }

    /// Parses a response and records its owner keys in the access set.
    async fn parse_and_record<T: Send + 'static>(
        &self,
        response: RawResponse,
        path: &ApiPath,
        parse: impl FnOnce(&RawResponse) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let both = move |response: &RawResponse| {
            Ok::<_, Error>((access_recorder::owner_fields(&response.body), parse(response)))
        };
        let (belongings, parsed) = self.parse(response, both).await?;
        self.access_recorder.record_response(path, belongings);
        parsed
    }

    /// Parses a response, in the compute pool if it is larger than [`INLINE_BYTES`].
    ///
    /// # Errors
    ///
    /// Returns the errors of `parse`, and [`Error::Compute`].
    pub async fn parse<T, E>(
        &self,
        response: RawResponse,
        parse: impl FnOnce(&RawResponse) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        if response.body.len() <= INLINE_BYTES {
            return parse(&response);
        }
        let parsed = self.compute.run(move |_| Ok(parse(&response))).await;
        parsed.map_err(Error::Compute)?
    }
}

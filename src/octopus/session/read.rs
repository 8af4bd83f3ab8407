//! Reads documents and lists within the memory budget; large ones are parsed in the compute pool.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Session;
use crate::{
    compute::INLINE_BYTES,
    octopus::{
        Answer, Bounded, Bounds, Error, Page, Path, Reply, ReplyBody, Window, budget::parsed_size,
        document, reads::Size, touched,
    },
};

impl Session {
    /// Reads a JSON document. The call holds the memory of its largest document until it ends.
    pub async fn get<T>(&self, path: &Path) -> Result<T, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let route = path.route();
        self.read_typed(path, Size::Response, move |answer| answer.json(&route)).await
    }

    /// Reads a document into a type with named fields, after reserving memory for the parsed form.
    async fn read_typed<T: Send + 'static>(
        &self,
        path: &Path,
        size: Size,
        parse: impl FnOnce(&Answer) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let answer = self.client.get(self, path, size).await?;
        self.reserve(&answer).await?;
        self.read_in(answer, path, parse).await
    }

    /// Reads a JSON document of any form, within [`JsonBounds::DOCUMENT`].
    pub async fn document(&self, path: &Path) -> Result<Bounded, Error> {
        let route = path.route();
        let document = move |answer: &Answer| answer.document(&route, Bounds::DOCUMENT);
        self.read(path, Size::Response, document).await
    }

    /// Reserves the memory of a document's parsed form. Bodies up to [`INLINE_BYTES`] need no
    /// reservation.
    async fn reserve(&self, answer: &Answer) -> Result<(), Error> {
        if answer.body.len() <= INLINE_BYTES {
            return Ok(());
        }
        let body = answer.body.clone();
        let needed = self.compute.run(move |_| Ok(parsed_size(&body))).await;
        let needed = needed.map_err(Error::Compute)?;
        let (budget, deadline) = (self.client.parsed(), self.client.transport().deadline());
        let limit = budget.share();
        if needed > limit {
            return Err(Error::TooManyValues { needed, limit });
        }
        let reserved = self.memory.reserve(budget, self.whose, needed, deadline).await;
        reserved.map_err(|_| Error::NoMemory { sent: true })
    }

    /// Reads a page of a list. `path` requests the items of `window`; further items are dropped
    /// right after parsing, because each item costs work later.
    pub async fn page<T>(&self, path: &Path, window: Window) -> Result<Page<T>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.page_within(path, window, Size::Response).await
    }

    /// Reads a page and keeps all fields of its items.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] beyond the setting `execute_limit`.
    pub async fn page_of_objects(
        &self,
        path: &Path,
        window: Window,
    ) -> Result<Page<Map<String, Value>>, Error> {
        self.page_within(path, window, Size::Execute).await
    }

    async fn page_within<T>(
        &self,
        path: &Path,
        window: Window,
        size: Size,
    ) -> Result<Page<T>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let route = path.route();
        let parse = move |answer: &Answer| Ok(answer.json::<Page<T>>(&route)?.within(window));
        self.read_typed(path, size, parse).await
    }

    /// Reads an object and keeps all of its fields, for example to change it and send it back.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] beyond the setting `execute_limit`.
    pub async fn object(&self, path: &Path) -> Result<Map<String, Value>, Error> {
        let route = path.route();
        self.read_typed(path, Size::Execute, move |answer| answer.json(&route)).await
    }

    /// Reads a JSON document of any form for comparison with a later read. A document beyond
    /// [`JsonBounds::DOCUMENT`] gets its digest as the field `sha256`.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] beyond the setting `execute_limit`.
    pub async fn state(&self, path: &Path) -> Result<Value, Error> {
        let route = path.route();
        let state = move |answer: &Answer| {
            let Bounded { value, omitted } = answer.document(&route, Bounds::DOCUMENT)?;
            let mut value = document::raw(value);
            if let Value::Object(object) = &mut value
                && !omitted.is_nothing()
            {
                object.insert("sha256".to_owned(), Value::String(answer.digest()));
            }
            Ok(value)
        };
        self.read(path, Size::Execute, state).await
    }

    /// Reads a response of any media type.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] beyond the setting `execute_limit`.
    pub async fn fetch(&self, path: &Path) -> Result<Answer, Error> {
        self.read(path, Size::Execute, |answer| Ok(answer.clone())).await
    }

    /// Reads and parses a response.
    async fn read<T: Send + 'static>(
        &self,
        path: &Path,
        size: Size,
        parse: impl FnOnce(&Answer) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let answer = self.client.get(self, path, size).await?;
        self.read_in(answer, path, parse).await
    }

    /// Parses a response and records its owner keys in the access set.
    async fn read_in<T: Send + 'static>(
        &self,
        answer: Answer,
        path: &Path,
        parse: impl FnOnce(&Answer) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let both = move |answer: &Answer| {
            Ok::<_, Error>((touched::belongings(&answer.body), parse(answer)))
        };
        let (belongings, parsed) = self.parse(answer, both).await?;
        self.touched.answered(path, belongings);
        parsed
    }

    /// Parses the response to a change. If the compute pool fails, the result contains the reason,
    /// because an error would hide that the change was made.
    ///
    /// # Errors
    ///
    /// [`Error::Unexpected`] if the media type is JSON but the body is not.
    pub(in crate::octopus) async fn reply(
        &self,
        answer: Answer,
        route: String,
    ) -> Result<Reply, Error> {
        let (content_type, size) = (answer.content_type.clone(), answer.body.len());
        match self.parse(answer, move |answer| Reply::read(answer, &route)).await {
            Err(Error::Compute(error)) => {
                let body = ReplyBody::Unread(error);
                Ok(Reply::new(content_type, size, body, Arc::default()))
            }
            parsed => parsed,
        }
    }

    /// Parses a response, in the compute pool if it is larger than [`INLINE_BYTES`].
    ///
    /// # Errors
    ///
    /// The errors of `parse`, and [`Error::Compute`].
    pub async fn parse<T, E>(
        &self,
        answer: Answer,
        parse: impl FnOnce(&Answer) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        if answer.body.len() <= INLINE_BYTES {
            return parse(&answer);
        }
        let parsed = self.compute.run(move |_| Ok(parse(&answer))).await;
        parsed.map_err(Error::Compute)?
    }
}

//! A client and one caller's credentials: the only thing that reaches Octopus.

use std::{fmt::Write as _, sync::Arc};

use bytes::Bytes;
use futures::Stream;
use http::HeaderValue;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Answer, Bounded, Bounds, Client, Credentials, Error, Fingerprint, OctopusVersion, Order, Page,
    Path, Permit, Reservation, Touched, Window,
    breaker::Requester,
    budget::{CallMemory, parsed_size},
    document,
    reads::Size,
    server, touched,
};
use crate::compute::{CallerKey, ComputeScope, INLINE_BYTES};

/// A client and one caller's credentials. Made for each request; cheap to clone.
#[derive(Debug, Clone)]
pub struct Session {
    client: Client,
    credentials: Credentials,
    whose: Fingerprint,
    user_agent: Arc<HeaderValue>,
    touched: Touched,
    compute: ComputeScope,
    memory: CallMemory,
}

/// What this server calls itself.
pub(super) const AGENT: &str = concat!("octopus-mcp/", env!("CARGO_PKG_VERSION"));
/// What a name in a `User-Agent` header is cut to.
const NAME_LIMIT: usize = 64;

impl Session {
    /// Opens a session for a caller, whom `caller` tells from every other: two callers can act with
    /// one credential. `mcp_client` is what the MCP client calls itself, for Octopus's log.
    pub fn new(
        client: Client,
        credentials: Credentials,
        caller: Fingerprint,
        mcp_client: Option<&str>,
    ) -> Self {
        let whose = Self::whose_of(caller, &credentials);
        let mut agent = AGENT.to_owned();
        let name: String = mcp_client
            .unwrap_or_default()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-._/ ".contains(*c))
            .take(NAME_LIMIT)
            .collect();
        if !name.trim().is_empty() {
            let _ = write!(agent, " ({})", name.trim());
        }
        let user_agent = HeaderValue::from_str(&agent)
            .unwrap_or_else(|_| HeaderValue::from_static("octopus-mcp"));
        let touched = Touched::default();
        let key = if client.has_accepted(caller, &credentials) {
            CallerKey::new(*caller.as_bytes())
        } else {
            CallerKey::UNPROVEN
        };
        let compute = client.compute().scope(key);
        let (user_agent, memory) = (Arc::new(user_agent), CallMemory::default());
        Self { client, credentials, whose, user_agent, touched, compute, memory }
    }

    /// Tells sessions of this caller and this credential from every other.
    pub(super) fn whose_of(caller: Fingerprint, credentials: &Credentials) -> Fingerprint {
        caller.and(credentials.fingerprint().as_bytes())
    }

    /// What is touched with this session and its clones.
    pub fn touched(&self) -> &Touched {
        &self.touched
    }

    /// The same session, whose reads are not what the caller asked for: nothing of them is written
    /// down.
    #[must_use]
    pub fn unrecorded(&self) -> Self {
        Self { touched: Touched::default(), ..self.clone() }
    }

    /// The compute pool with the caller's share and the compute time of the call.
    pub fn compute(&self) -> &ComputeScope {
        &self.compute
    }

    /// Returns the same session on the compute time and memory of another session of the same call.
    #[must_use]
    pub fn sharing_compute(self, other: &Self) -> Self {
        Self { compute: other.compute.clone(), memory: other.memory.clone(), ..self }
    }

    /// Returns the same session with all compute time of a call left, for work after a change.
    #[must_use]
    pub fn with_new_compute(&self) -> Self {
        Self { compute: self.compute.with_new_budget(), ..self.clone() }
    }

    /// Holds memory until the call ends.
    pub(super) fn hold(&self, memory: Option<Reservation>) {
        if let Some(memory) = memory {
            self.memory.hold(memory);
        }
    }

    /// The instance.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whose credentials these are.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Whose session this is: the caller and the credential that acts. Every key of a cache holds
    /// it, so that nothing of one caller answers another. It stays the same where an exchanged
    /// token is renewed.
    pub fn whose(&self) -> Fingerprint {
        self.whose
    }

    /// The same session, whose requests carry this ID in their user agent, which Octopus keeps with
    /// the events that they cause.
    #[must_use]
    pub fn marked(&self, id: &str) -> Self {
        let agent = self.user_agent.to_str().unwrap_or("octopus-mcp");
        let marked = HeaderValue::from_str(&format!("{agent} audit/{id}"));
        let user_agent = marked.map_or_else(|_| Arc::clone(&self.user_agent), Arc::new);
        Self { user_agent, ..self.clone() }
    }

    /// Who sends the requests of this session, as the circuit breaker distinguishes senders.
    pub(super) fn requester(&self) -> Requester {
        Requester { fingerprint: self.whose, is_configured: self.credentials.is_configured() }
    }

    pub(super) fn user_agent(&self) -> HeaderValue {
        (*self.user_agent).clone()
    }

    /// The version of the instance. Sessions share what was read, but not a read that is under way: it
    /// fails for the caller whose credential is wrong, and for nobody else.
    pub async fn version(&self) -> Result<OctopusVersion, Error> {
        let known = self.client.version().get(&()).await;
        self.client.metrics().looked_up("version", known.is_some());
        if let Some(version) = known {
            return Ok(version);
        }
        let version = server::root(self).await?.parsed()?;
        self.client.version().insert((), version).await;
        Ok(version)
    }

    /// Reads a JSON document. The call holds memory for the largest one until it ends.
    pub async fn get<T>(&self, path: &Path) -> Result<T, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let route = path.route();
        self.read_typed(path, Size::Response, move |answer| answer.json(&route)).await
    }

    /// Reads a document of which named fields are kept, with memory for what is parsed.
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

    /// Reads a JSON document of any form, within [`Bounds::DOCUMENT`].
    pub async fn document(&self, path: &Path) -> Result<Bounded, Error> {
        let route = path.route();
        let document = move |answer: &Answer| answer.document(&route, Bounds::DOCUMENT);
        self.read(path, Size::Response, document).await
    }

    /// Reserves the memory that a document takes when it is parsed. Small ones are not counted.
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

    /// Reads a page of a list. `path` requests the items of `window`; those beyond it are dropped
    /// where the answer is parsed, because each item costs work afterwards.
    pub async fn page<T>(&self, path: &Path, window: Window) -> Result<Page<T>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.page_within(path, window, Size::Response).await
    }

    /// Reads a page of which all fields of the items are kept.
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

    /// Reads an object of which all fields are kept, for example to be changed and sent back.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] beyond the setting `execute_limit`.
    pub async fn object(&self, path: &Path) -> Result<Map<String, Value>, Error> {
        let route = path.route();
        self.read_typed(path, Size::Execute, move |answer| answer.json(&route)).await
    }

    /// Reads a JSON document of any form, to be compared with itself later. A document beyond
    /// [`Bounds::DOCUMENT`] has its digest as the field `sha256`.
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

    /// Reads an answer whatever its media type.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] beyond the setting `execute_limit`.
    pub async fn fetch(&self, path: &Path) -> Result<Answer, Error> {
        self.read(path, Size::Execute, |answer| Ok(answer.clone())).await
    }

    /// Reads an answer and parses it.
    async fn read<T: Send + 'static>(
        &self,
        path: &Path,
        size: Size,
        parse: impl FnOnce(&Answer) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let answer = self.client.get(self, path, size).await?;
        self.read_in(answer, path, parse).await
    }

    /// Adds an answer to what is touched, and parses it.
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

    /// Parses an answer: in the compute pool, if it is larger than [`INLINE_BYTES`].
    ///
    /// # Errors
    ///
    /// Those of `parse`, and [`Error::Compute`].
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

    /// Sends an order, once: what changes things is never tried again by itself.
    pub async fn send(&self, order: &Order, _permit: Permit) -> Result<Answer, Error> {
        self.client.order(self, order).await
    }

    /// Reads text piece by piece, whatever its size.
    pub async fn stream(
        &self,
        path: &Path,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<>, Error> {
        let stream = self.client.stream(self, path).await?;
        self.touched.answered(path, None);
        Ok(stream)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        compute::ComputePool, config::Instance, octopus::MemoryBudget, telemetry::Metrics,
    };

    #[test]
    fn invented_credentials_share_one_share_of_the_compute_pool() {
        let client = Client::new(
            "default",
            "http://127.0.0.1:9".parse().unwrap(),
            &Instance::default(),
            &Metrics::default(),
            &ComputePool::new(1, Duration::from_secs(1)),
            &MemoryBudget::new(1024 * 1024),
        );
        let client = client.unwrap();
        let share = |key: &str, is_configured: bool| {
            let credentials = Credentials::api_key(key).unwrap();
            let credentials = if is_configured { credentials.configured() } else { credentials };
            let caller = Fingerprint::of([key.as_bytes()]);
            let session = Session::new(client.clone(), credentials, caller, None);
            (session.compute().caller(), CallerKey::new(*caller.as_bytes()))
        };
        for key in ["API-INVENTED1", "API-INVENTED2"] {
            assert_eq!(share(key, false).0, CallerKey::UNPROVEN);
        }
        let (known, own) = share("API-CONFIGURED", true);
        assert_eq!(known, own);
    }
}

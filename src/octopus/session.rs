//! A client and one caller's credentials: the only thing that reaches Octopus.

use std::{fmt::Write as _, sync::Arc};

use bytes::Bytes;
use futures::Stream;
use http::HeaderValue;
use serde::de::DeserializeOwned;

use super::{
    Answer, Client, Credentials, Error, Fingerprint, OctopusVersion, Order, Path, Permit, server,
};

/// A client and one caller's credentials. Made for each request; cheap to clone.
#[derive(Debug, Clone)]
pub struct Session {
    client: Client,
    credentials: Credentials,
    whose: Fingerprint,
    user_agent: Arc<HeaderValue>,
}

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
        let whose = caller.and(credentials.fingerprint().as_bytes());
        let mut agent = concat!("octopus-mcp/", env!("CARGO_PKG_VERSION")).to_owned();
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
        Self { client, credentials, whose, user_agent: Arc::new(user_agent) }
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
    /// it, so that nothing of one caller answers another.
    pub fn whose(&self) -> Fingerprint {
        self.whose
    }

    pub(super) fn user_agent(&self) -> HeaderValue {
        (*self.user_agent).clone()
    }

    /// The version of the instance.
    pub async fn version(&self) -> Result<OctopusVersion, Error> {
        let read = async { server::root(self).await?.parsed() };
        self.client.version().try_get_with((), read).await.map_err(|error| (*error).clone())
    }

    /// Reads a JSON document.
    pub async fn get<T: DeserializeOwned>(&self, path: &Path) -> Result<T, Error> {
        self.client.get(self, path).await?.json(&path.route())
    }

    /// Reads an answer whatever its media type.
    pub async fn fetch(&self, path: &Path) -> Result<Answer, Error> {
        self.client.get(self, path).await
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
        self.client.stream(self, path).await
    }
}

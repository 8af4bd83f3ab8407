//! A client and one caller's credentials: the only thing that reaches Octopus.

mod read;
#[cfg(test)]
mod tests;

use std::{fmt::Write as _, sync::Arc};

use bytes::Bytes;
use futures::Stream;
use http::HeaderValue;

use super::{
    Client, Credentials, Error, Fingerprint, OctopusVersion, Order, Path, Permit, Reply,
    Reservation, Touched, breaker::Requester, budget::CallMemory, server,
};
use crate::compute::{CallerKey, ComputeScope};

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

    /// Sends an order, once: what changes things is never tried again by itself.
    pub async fn send(&self, order: &Order, _permit: Permit) -> Result<Reply, Error> {
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

//! Sessions: a client with the credentials of one caller. All requests to Octopus go through a
//! session.

mod read;
mod requests;
#[cfg(test)]
mod tests;

use std::{fmt::Write as _, sync::Arc};

use http::HeaderValue;
use jiff::Timestamp;

use super::{
    access_set::access_recorder::AccessRecorder,
    breaker::Requester,
    budget::{Reservation, response_memory::CallMemory},
    credentials::{Credentials, Fingerprint},
    instance_client::Client,
};
use crate::compute::{CallerKey, ComputeScope};

/// A client with the credentials of one caller. Created for each request; cheap to clone.
#[derive(Debug, Clone)]
pub struct Session {
    client: Client,
    credentials: Credentials,
    fingerprint: Fingerprint,
    user_agent: Arc<HeaderValue>,
    access_recorder: AccessRecorder,
    compute: ComputeScope,
    memory: CallMemory,
}

/// Product name and version in the `User-Agent` header.
pub(in crate::octopus) const DEFAULT_USER_AGENT: &str =
    concat!("octopus-mcp/", env!("CARGO_PKG_VERSION"));
/// Maximum length of the MCP client's name in the `User-Agent` header.
const MAX_CLIENT_NAME_LEN: usize = 64;

impl Session {
    /// Creates a session. `caller` identifies the caller, because several callers can act with the
    /// same credential. `mcp_client` is the self-reported name of the MCP client, for Octopus's
    /// audit log.
    pub fn new(
        client: Client,
        credentials: Credentials,
        caller: Fingerprint,
        mcp_client: Option<&str>,
    ) -> Self {
        let fingerprint = credentials.fingerprint_for(caller);
        let mut agent = DEFAULT_USER_AGENT.to_owned();
        let name: String = mcp_client
            .unwrap_or_default()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-._/ ".contains(*c))
            .take(MAX_CLIENT_NAME_LEN)
            .collect();
        if !name.trim().is_empty() {
            let _ = write!(agent, " ({})", name.trim());
        }
        let user_agent = HeaderValue::from_str(&agent)
            .unwrap_or_else(|_| HeaderValue::from_static("octopus-mcp"));
        let key = if client.is_proven(caller, &credentials) {
            CallerKey::new(*caller.as_bytes())
        } else {
            CallerKey::UNVERIFIED
        };
        let compute = client.compute().scope(key);
        let (user_agent, memory) = (Arc::new(user_agent), CallMemory::default());
        Self {
            client,
            credentials,
            fingerprint,
            user_agent,
            access_recorder: AccessRecorder::default(),
            compute,
            memory,
        }
    }

    /// Returns the recorder of resources that this session and its clones access.
    pub fn access_recorder(&self) -> &AccessRecorder {
        &self.access_recorder
    }

    /// Returns the same session with a separate recorder, for reads that the caller did not
    /// request.
    #[must_use]
    pub fn without_recording(&self) -> Self {
        Self { access_recorder: AccessRecorder::default(), ..self.clone() }
    }

    /// Returns the caller's share of the compute pool, with the compute time of the call.
    pub fn compute(&self) -> &ComputeScope {
        &self.compute
    }

    /// Returns the same session with the compute time and memory of another session of the same
    /// call.
    #[must_use]
    pub fn sharing_budgets_with(self, other: &Self) -> Self {
        Self { compute: other.compute.clone(), memory: other.memory.clone(), ..self }
    }

    /// Returns the same session with the full compute time of a call, for work after a change.
    #[must_use]
    pub fn with_fresh_compute(&self) -> Self {
        Self { compute: self.compute.with_new_budget(), ..self.clone() }
    }

    /// Holds memory until the call ends.
    fn hold_memory(&self, memory: Option<Reservation>) {
        if let Some(memory) = memory {
            self.memory.hold(memory);
        }
    }

    /// Returns the current time of the instance: the `Date` of its last response, and the time since
    /// then. Times in documents are compared with it.
    pub fn now(&self) -> Timestamp {
        self.client.transport().clock().now()
    }

    /// Returns the client of the instance.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the credentials that requests are sent with.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns the fingerprint of the caller and the acting credential. Cache keys contain it, so
    /// that callers never share entries. It stays the same when an exchanged token is renewed.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Returns the same session with this audit ID in the `User-Agent` header. Octopus stores the
    /// header with the events that a request causes.
    #[must_use]
    pub fn with_audit_id(&self, id: &str) -> Self {
        let agent = self.user_agent.to_str().unwrap_or("octopus-mcp");
        let marked = HeaderValue::from_str(&format!("{agent} audit/{id}"));
        let user_agent = marked.map_or_else(|_| Arc::clone(&self.user_agent), Arc::new);
        Self { user_agent, ..self.clone() }
    }

    /// Returns the sender of this session's requests for the circuit breaker.
    fn requester(&self) -> Requester {
        Requester { fingerprint: self.fingerprint, is_configured: self.credentials.is_configured() }
    }
}

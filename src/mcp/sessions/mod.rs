//! Sessions for clients of MCP revisions before 2026-07-28, in memory and optionally shared between
//! replicas.
//!
//! Sessions make elicitation possible: a request from the server needs a stream to the client. A
//! session ID is sealed for its caller and request scope, so it is unknown to other callers and on
//! other paths. A session ends when its client deletes it, or after `http.session_idle` without
//! use. A session with a running call or an open stream is in use.
//!
//! - [`SessionRegistry`] keeps the sessions of this replica.
//! - [`SessionManagerAdapter`] implements rmcp's `SessionManager` on it.
//! - `shared`: finds, publishes and ends sessions in the store.
//! - `takeover`: continues a session that another replica started.
//! - `response_routing`: routes responses to the replica that sent the request.
//! - `capacity`: enforces session limits.

mod adapter;
mod capacity;
mod response_routing;
mod shared;
mod takeover;

pub use adapter::SessionManagerAdapter;
pub use capacity::SessionLimit;
pub use response_routing::MAX_RESPONSE_BYTES;
pub use shared::SessionLocation;
pub use takeover::TakeoverError;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use rmcp::transport::streamable_http_server::session::{
    SessionId, SessionManager, local::LocalSessionManager,
};
use tokio_util::sync::CancellationToken;

use self::shared::SharedSessions;
use crate::{
    access::RequestScope, approval::Seal, auth::Caller, config, octopus::Fingerprint, store::Store,
};

/// Lifetime of a sealed session ID. The session itself ends much earlier.
const ID_LIFETIME: Duration = Duration::from_hours(24 * 30);
/// Maximum interval between searches for idle sessions.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);
/// Time limit for closing one session.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// Owner and scope of the current request. A task local, because rmcp does not pass them to
    /// `SessionManager`.
    static CURRENT_REQUEST: SessionRequest;
}

/// Properties of the current request that a new session inherits.
#[derive(Debug, Clone, Copy)]
struct SessionRequest {
    owner: SessionOwner,
    scope_digest: [u8; 32],
    origin: ClientOrigin,
    /// `true` if the request is for a session of another replica that is not taken over here.
    is_remote: bool,
}

/// Digest of the network that a request comes from.
type ClientOrigin = [u8; 32];

/// Fingerprint of a session's owner. `None`: the HTTP layers did not authenticate the request.
type SessionOwner = Option<Fingerprint>;

/// The sessions of this replica.
#[derive(Debug)]
pub struct SessionRegistry {
    local: LocalSessionManager,
    seal: Seal,
    idle: Duration,
    limit: usize,
    limit_per_caller: usize,
    entries: Mutex<HashMap<String, SessionEntry>>,
    /// State shared with other replicas, if `http.sessions` is `store`.
    shared: Option<SharedSessions>,
}

/// A session that this replica serves.
#[derive(Debug)]
struct SessionEntry {
    owner: SessionOwner,
    origin: ClientOrigin,
    last_used: Instant,
    /// Number of open streams: response streams and the standalone stream.
    open_streams: usize,
    /// `true` if the store has the session, so that other replicas can continue it.
    is_shared: bool,
    /// Number of the takeover that created the entry; 0 if the session started at this replica.
    takeover_number: u64,
}

impl SessionRegistry {
    /// Creates a registry with the limits of these settings. With a store, replicas share sessions.
    pub fn new(http: &config::HttpSettings, seal: Seal, store: Option<Arc<Store>>) -> Self {
        let mut local = LocalSessionManager::default();
        // The keep-alive of rmcp considers only messages and would end a session during a long
        // call.
        local.session_config.keep_alive = None;
        Self {
            local,
            seal,
            idle: http.session_idle.0,
            limit: http.session_limit as usize,
            limit_per_caller: http.session_limit_per_caller as usize,
            entries: Mutex::default(),
            shared: store.map(SharedSessions::new),
        }
    }

    /// Runs work as a request of this caller, with this scope and from this network.
    ///
    /// The flag marks a request for a session of another replica that this replica does not have to
    /// continue.
    pub async fn with_request<T>(
        caller: &Caller,
        scope: &RequestScope,
        (origin, is_remote): (ClientOrigin, bool),
        work: impl Future<Output = T>,
    ) -> T {
        let (owner, scope_digest) = (Some(caller.fingerprint()), scope.digest());
        CURRENT_REQUEST.scope(SessionRequest { owner, scope_digest, origin, is_remote }, work).await
    }

    /// Returns the number of sessions of this replica.
    pub fn count(&self) -> usize {
        self.entries().len()
    }

    /// Ends idle sessions periodically, and all sessions when the server stops.
    pub async fn run_maintenance(self: Arc<Self>, stop: CancellationToken) {
        let round = self.sweep_interval();
        loop {
            let stopped = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(round) => false,
            };
            self.close_all(self.remove_expired(stopped)).await;
            if stopped {
                return;
            }
            self.renew_in_use().await;
        }
    }

    /// Closes a session of this replica and its streams.
    ///
    /// If the client does not read its stream, closing continues in the background until the client
    /// reads or disconnects.
    async fn close(&self, id: &SessionId) {
        // rmcp removes the session first, so it cannot be found even if closing takes long.
        if tokio::time::timeout(CLOSE_TIMEOUT, self.local.close_session(id)).await.is_err() {
            tracing::debug!("session close timed out: client does not read");
        }
    }

    async fn close_all(&self, ids: Vec<String>) {
        let close = ids.into_iter().map(|id| async move {
            self.remove_entry(&id);
            self.close(&id.into()).await;
        });
        futures::future::join_all(close).await;
    }

    /// Returns the interval between searches: half of the idle time, at most 5 seconds.
    fn sweep_interval(&self) -> Duration {
        SWEEP_INTERVAL.min(self.idle / 2).max(Duration::from_millis(10))
    }

    /// Removes expired sessions, or all sessions, and returns their IDs.
    fn remove_expired(&self, all: bool) -> Vec<String> {
        let is_expired =
            |entry: &SessionEntry| entry.open_streams == 0 && entry.last_used.elapsed() > self.idle;
        self.entries().extract_if(|_, entry| all || is_expired(entry)).map(|(id, _)| id).collect()
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, SessionEntry>> {
        self.entries.lock()
    }
}

/// Returns the associated data of a sealed session ID: its owner and scope.
fn id_context((owner, scope_digest): (SessionOwner, [u8; 32])) -> Vec<u8> {
    let mut purpose = b"session".to_vec();
    purpose.extend(owner.iter().flat_map(Fingerprint::as_bytes));
    purpose.extend(scope_digest);
    purpose
}

#[cfg(test)]
mod tests;

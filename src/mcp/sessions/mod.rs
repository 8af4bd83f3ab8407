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

mod answers;
mod manager;
mod room;
mod shared;
mod taking;

pub use answers::LARGEST_ANSWER;
pub use manager::Manager;
pub use room::NoRoom;
pub use shared::Found;
pub use taking::NotTaken;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rmcp::transport::streamable_http_server::session::{
    SessionId, SessionManager, local::LocalSessionManager,
};
use tokio_util::sync::CancellationToken;

use self::shared::Shared;
use crate::{
    callers::Caller,
    config,
    octopus::Fingerprint,
    store::Store,
    tool::{Narrowing, Seal},
};

/// Lifetime of a sealed session ID. The session itself ends much earlier.
const SEALED_FOR: Duration = Duration::from_hours(24 * 30);
/// Maximum interval between searches for idle sessions.
const ROUND: Duration = Duration::from_secs(5);
/// Time limit for closing one session.
const CLOSES: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// Owner and scope of the current request. A task local, because rmcp does not pass them to
    /// `SessionManager`.
    static SERVED: Served;
}

/// Properties of the current request that a new session inherits.
#[derive(Debug, Clone, Copy)]
struct Served {
    whose: Whose,
    narrowed: [u8; 32],
    place: Place,
    /// Whether the request is for a session of another replica that is not taken over here.
    elsewhere: bool,
}

/// Digest of the network that a request comes from.
type Place = [u8; 32];

/// Fingerprint of a session's owner. `None`: the HTTP layers did not authenticate the request.
type Whose = Option<Fingerprint>;

/// The sessions of this replica.
#[derive(Debug)]
pub struct Sessions {
    local: LocalSessionManager,
    seal: Seal,
    idle: Duration,
    limit: usize,
    limit_per_caller: usize,
    known: Mutex<HashMap<String, Known>>,
    /// State shared with other replicas, if `http.sessions` is `store`.
    shared: Option<Shared>,
}

/// A session that this replica serves.
#[derive(Debug)]
struct Known {
    whose: Whose,
    place: Place,
    last: Instant,
    /// Number of open streams: response streams and the standalone stream.
    open: usize,
    /// Whether the store has the session, so that other replicas can continue it.
    shared: bool,
    /// Number of the takeover that created the entry; 0 if the session started here.
    taken: u64,
}

impl Sessions {
    /// Creates a registry with the limits of these settings. With a store, replicas share sessions.
    pub fn new(http: &config::Http, seal: Seal, store: Option<Arc<Store>>) -> Self {
        let mut local = LocalSessionManager::default();
        // The keep-alive of rmcp counts only messages and would end a session during a long call.
        local.session_config.keep_alive = None;
        Self {
            local,
            seal,
            idle: http.session_idle.0,
            limit: http.session_limit as usize,
            limit_per_caller: http.session_limit_per_caller as usize,
            known: Mutex::default(),
            shared: store.map(Shared::new),
        }
    }

    /// Runs work as a request of this caller, with this scope and from this network.
    ///
    /// The flag marks a request for a session of another replica that this replica need not
    /// continue.
    pub async fn serving<T>(
        caller: &Caller,
        narrowing: &Narrowing,
        (place, elsewhere): (Place, bool),
        work: impl Future<Output = T>,
    ) -> T {
        let (whose, narrowed) = (Some(caller.fingerprint()), narrowing.digest());
        SERVED.scope(Served { whose, narrowed, place, elsewhere }, work).await
    }

    /// Returns the number of sessions of this replica.
    pub fn count(&self) -> usize {
        self.known().len()
    }

    /// Ends idle sessions periodically, and all sessions when the server stops.
    pub async fn look_after(self: Arc<Self>, stop: CancellationToken) {
        let round = self.round();
        loop {
            let stopped = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(round) => false,
            };
            self.close_all(self.remove_over(stopped)).await;
            if stopped {
                return;
            }
            self.keep_in_use().await;
        }
    }

    /// Closes a session of this replica and its streams.
    ///
    /// If the client does not read its stream, closing continues in the background until the client
    /// reads or disconnects.
    async fn close(&self, id: &SessionId) {
        // rmcp removes the session first, so it cannot be found even if closing takes long.
        if tokio::time::timeout(CLOSES, self.local.close_session(id)).await.is_err() {
            tracing::debug!("session close timed out: client does not read");
        }
    }

    async fn close_all(&self, ids: Vec<String>) {
        let close = ids.into_iter().map(|id| async move {
            self.forget(&id);
            self.close(&id.into()).await;
        });
        futures::future::join_all(close).await;
    }

    /// Returns the interval between searches: half of the idle time, at most 5 seconds.
    fn round(&self) -> Duration {
        ROUND.min(self.idle / 2).max(Duration::from_millis(10))
    }

    /// Removes expired sessions, or all sessions, and returns their IDs.
    fn remove_over(&self, all: bool) -> Vec<String> {
        let is_over = |known: &Known| known.open == 0 && known.last.elapsed() > self.idle;
        self.known().extract_if(|_, known| all || is_over(known)).map(|(id, _)| id).collect()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the associated data of a sealed session ID: its owner and scope.
fn purpose((whose, narrowed): (Whose, [u8; 32])) -> Vec<u8> {
    let mut purpose = b"session".to_vec();
    purpose.extend(whose.iter().flat_map(Fingerprint::as_bytes));
    purpose.extend(narrowed);
    purpose
}

#[cfg(test)]
mod tests;

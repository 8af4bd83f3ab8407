//! Sessions of clients of the revisions that have them, in the memory of the process, and in the
//! store where replicas share them.
//!
//! They are there so that a person can be asked before a change: a question of the server needs a
//! stream that belongs to a client. The ID of a session is sealed for its caller and
//! for what it was narrowed to, so another caller's request with it finds nothing, and neither does
//! one on another path. A session ends when its client says so, or when it has
//! been idle for long; one that still answers a call, or has a stream open, is not idle.

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

/// How long the seal of an ID is good. The session itself ends long before.
const SEALED_FOR: Duration = Duration::from_hours(24 * 30);
/// How often idle sessions are looked for.
const ROUND: Duration = Duration::from_secs(5);
/// How long the end of one may take.
const CLOSES: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// Whose request is being served, and how: rmcp makes sessions without saying for whom.
    static SERVED: Served;
}

/// What a request is, for the session that it begins.
#[derive(Debug, Clone, Copy)]
struct Served {
    whose: Whose,
    narrowed: [u8; 32],
    place: Place,
    /// Whether it is about a session that it does not take up here.
    elsewhere: bool,
}

/// What tells where a request comes from.
type Place = [u8; 32];

/// Whose a session is. `None` is nobody's: no request came through the listener's check.
type Whose = Option<Fingerprint>;

/// Sessions in memory.
#[derive(Debug)]
pub struct Sessions {
    local: LocalSessionManager,
    seal: Seal,
    idle: Duration,
    limit: usize,
    limit_per_caller: usize,
    known: Mutex<HashMap<String, Known>>,
    /// What other replicas know of them.
    shared: Option<Shared>,
}

#[derive(Debug)]
struct Known {
    whose: Whose,
    place: Place,
    last: Instant,
    /// Streams that are open: answers on their way, and the one that clients listen on.
    open: usize,
    /// Whether other replicas know of it.
    shared: bool,
    /// Which it is of all that were taken up here; 0 where it began here.
    taken: u64,
}

impl Sessions {
    /// Sessions within these limits, which replicas share where there is a store for them.
    pub fn new(http: &config::Http, seal: Seal, store: Option<Arc<Store>>) -> Self {
        let mut local = LocalSessionManager::default();
        // Its own timer counts messages alone, and would end a session whose call takes long.
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

    /// Serves a request of this caller, which is narrowed so and comes from there. It may be about
    /// a session that another replica serves, where nothing needs it here.
    pub async fn serving<T>(
        caller: &Caller,
        narrowing: &Narrowing,
        (place, elsewhere): (Place, bool),
        work: impl Future<Output = T>,
    ) -> T {
        let (whose, narrowed) = (Some(caller.fingerprint()), narrowing.digest());
        SERVED.scope(Served { whose, narrowed, place, elsewhere }, work).await
    }

    /// How many sessions there are.
    pub fn count(&self) -> usize {
        self.known().len()
    }

    /// Ends sessions that are idle, and all of them when the server stops.
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

    /// Ends a session here, with its streams. One whose client reads nothing of what it was told
    /// ends by itself as soon as that client reads, or is gone.
    async fn close(&self, id: &SessionId) {
        // It cannot be found from the beginning of this, however long it takes.
        if tokio::time::timeout(CLOSES, self.local.close_session(id)).await.is_err() {
            tracing::debug!("a session whose client reads nothing ends later");
        }
    }

    async fn close_all(&self, ids: Vec<String>) {
        let close = ids.into_iter().map(|id| async move {
            self.forget(&id);
            self.close(&id.into()).await;
        });
        futures::future::join_all(close).await;
    }

    /// How often what is over is looked for.
    fn round(&self) -> Duration {
        ROUND.min(self.idle / 2).max(Duration::from_millis(10))
    }

    /// Takes out the sessions that are over, so that none of them is used again.
    fn remove_over(&self, all: bool) -> Vec<String> {
        let is_over = |known: &Known| known.open == 0 && known.last.elapsed() > self.idle;
        self.known().extract_if(|_, known| all || is_over(known)).map(|(id, _)| id).collect()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn purpose((whose, narrowed): (Whose, [u8; 32])) -> Vec<u8> {
    let mut purpose = b"session".to_vec();
    purpose.extend(whose.iter().flat_map(Fingerprint::as_bytes));
    purpose.extend(narrowed);
    purpose
}

#[cfg(test)]
mod tests;

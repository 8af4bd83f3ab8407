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
mod shared;

pub use manager::Manager;
pub use shared::{Found, NotTaken};

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
}

/// Why there can be no further session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// This caller has as many as one may have.
    ForCaller,
    /// All callers together have.
    AtAll,
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

    /// Whether a caller, who comes from there, may have another session.
    pub fn room(&self, caller: &Caller, place: &Place) -> Result<(), NoRoom> {
        self.room_in(&self.known(), Some(caller.fingerprint()), place).map(|_| ())
    }

    /// Whether there is room, and which session has to end for it.
    ///
    /// A greeting asks Octopus nothing, so who makes up credentials can have as many sessions as
    /// there may be. Where more than half of them come from one place, the one of those that was
    /// used least recently gives way to a caller from elsewhere.
    fn room_in(
        &self,
        known: &HashMap<String, Known>,
        whose: Whose,
        place: &Place,
    ) -> Result<Option<String>, NoRoom> {
        if known.values().filter(|known| known.whose == whose).count() >= self.limit_per_caller {
            return Err(NoRoom::ForCaller);
        }
        if known.len() < self.limit {
            return Ok(None);
        }
        let mut counts = HashMap::<&Place, usize>::new();
        for known in known.values() {
            *counts.entry(&known.place).or_default() += 1;
        }
        let crowd = counts.into_iter().max_by_key(|(_, count)| *count);
        let (crowd, _) = crowd
            .filter(|(crowd, count)| *crowd != place && *count > self.limit / 2)
            .ok_or(NoRoom::AtAll)?;
        let of_crowd = known.iter().filter(|(_, known)| known.place == *crowd);
        let oldest = of_crowd.min_by_key(|(_, known)| (known.open > 0, known.last));
        oldest.map(|(id, _)| Some(id.clone())).ok_or(NoRoom::AtAll)
    }

    /// Takes the place of a new session, where there is one, and gives the one that ends for it.
    fn take_place(&self, id: &str, whose: Whose, place: Place) -> Result<Option<String>, NoRoom> {
        let mut known = self.known();
        let ends = self.room_in(&known, whose, &place)?;
        if let Some(ends) = &ends {
            known.remove(ends);
        }
        known.insert(
            id.to_owned(),
            Known { whose, place, last: Instant::now(), open: 0, shared: false },
        );
        Ok(ends)
    }

    /// Serves a request of this caller, which is narrowed so and comes from there.
    pub async fn serving<T>(
        caller: &Caller,
        narrowing: &Narrowing,
        place: Place,
        work: impl Future<Output = T>,
    ) -> T {
        let whose = Some(caller.fingerprint());
        SERVED.scope(Served { whose, narrowed: narrowing.digest(), place }, work).await
    }

    /// How many sessions there are.
    pub fn count(&self) -> usize {
        self.known().len()
    }

    /// Ends sessions that are idle, and all of them when the server stops.
    pub async fn look_after(self: Arc<Self>, stop: CancellationToken) {
        let round = ROUND.min(self.idle / 2).max(Duration::from_millis(10));
        loop {
            let stopped = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(round) => false,
            };
            let over = self.remove_over(stopped).into_iter().map(SessionId::from);
            futures::future::join_all(over.map(|id| {
                let sessions = &self;
                async move {
                    sessions.forget(&id);
                    sessions.close(&id).await;
                }
            }))
            .await;
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

//! Idempotency: executes repeated change requests once.
//!
//! Replies can be large, so the oldest are evicted beyond a memory limit. The fact that a change
//! was executed is stored separately, for as long as its key is valid.
//!
//! Several approval requests can be open for the same change. The change is executed once for all
//! of them, because its key is derived from the change (caller, request, state that was shown) and
//! not from the approval request. A request that is issued after the execution ended is for a new
//! change, even if it is equal. Version 7 UUIDs (RFC 9562) order approval requests and executions
//! in time: exactly within a process, and between replicas as exactly as their clocks agree.
//!
//! Replicas that share a store see each other's executions through leases.

mod claims;
mod done;
mod name;
mod undone;

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use moka::{
    ops::compute::{CompResult, Op},
    sync::Cache,
};
use uuid::Uuid;

use self::{claims::Claims, done::Done};
pub(in crate::tool) use self::{name::Name, undone::Undone};
use crate::{
    octopus::{Error, Reply},
    store::Store,
};

/// How long an executed change is remembered. Longer than the lifetime of an approval request.
const KEPT: Duration = Duration::from_mins(15);
/// Maximum memory for replies, for all callers.
const KEPT_BYTES: u64 = 64 * 1024 * 1024;
/// Estimated memory of an execution without its reply.
const DEED_BYTES: u32 = 1024;
/// Number of callers whose latest execution is remembered.
const CALLERS: u64 = 10_000;
/// How long a repeated call without approval and key counts as the same call. This is the time in
/// which clients give up and retry.
const AGAIN: Duration = Duration::from_mins(1);

/// Maximum duration of one request to Octopus, including the wait for a free connection slot. The
/// outcome of a longer request is unknown.
pub(in crate::tool) const LONGEST_SEND: Duration = Duration::from_mins(3);

/// A SHA-256 digest that identifies a caller, a call or a change.
pub(super) type Key = [u8; 32];

/// Executed changes by idempotency key.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    deeds: Cache<Key, Arc<Deed>>,
    /// The latest execution of each caller at each instance.
    last: Cache<Key, Key>,
    done: Arc<Mutex<Done>>,
    claims: Claims,
    count: Arc<AtomicU64>,
}

/// A change that was executed or is running.
pub(super) struct Deed {
    number: u64,
    /// Digest of the call.
    pub(super) arguments: Key,
    ended: Arc<OnceLock<Ended>>,
    result: Shared<BoxFuture<'static, Came>>,
}

/// The outcome of an execution: the result of the request, or why it was not executed here.
type Came = Result<Result<Reply, Error>, Undone>;

/// The end of an execution.
#[derive(Debug, Clone, Copy)]
struct Ended {
    at: Instant,
    /// The same moment as a version 7 UUID, to be compared with those of approval requests.
    mark: Uuid,
    /// Size of the reply in memory.
    bytes: u32,
}

/// The execution of an equal change that a new one replaces. It counts again if Octopus refuses the
/// new one.
#[derive(Debug, Default)]
struct Earlier {
    outcome: Option<Arc<Deed>>,
    /// When it ended, as a version 7 UUID.
    mark: Option<Uuid>,
}

impl std::fmt::Debug for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Deed {}", self.number)
    }
}

impl Ledger {
    /// Creates a store that shares leases with other replicas.
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { claims: Claims::new(store), ..Self::of(KEPT_BYTES, Done::default()) }
    }

    /// Creates a store with this memory limit for replies.
    fn of(bytes: u64, done: Done) -> Self {
        let deeds = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, deed: &Arc<Deed>| deed.weight())
            .time_to_live(KEPT)
            .build();
        let last = Cache::builder().max_capacity(CALLERS).time_to_live(KEPT).build();
        let (done, claims) = (Arc::new(Mutex::new(done)), Claims::new(Store::memory()));
        Self { deeds, last, done, claims, count: Arc::default() }
    }

    /// Returns the execution with this key and call, if it still counts.
    ///
    /// # Errors
    ///
    /// Returns why the change must not be executed, if its reply is not available here.
    pub(super) async fn find(
        &self,
        whose: &Key,
        name: Name,
        arguments: &Key,
    ) -> Result<Option<Arc<Deed>>, Undone> {
        match self.deeds.get(name.key()).filter(|deed| self.counts(whose, name, deed)) {
            Some(deed) if deed.arguments != *arguments => Err(Undone::OtherCall),
            Some(deed) => Ok(Some(deed)),
            None => {
                let undone = self.done().undone(name, arguments);
                match undone {
                    Some(undone) => Err(undone),
                    None => self.claims.find(name, arguments).await.map_or(Ok(None), Err),
                }
            }
        }
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self, whose: &Key, name: Name, deed: &Deed) -> bool {
        let Some(ended) = deed.ended.get() else { return true };
        match name {
            Name::Given(_) => true,
            Name::Asked { .. } => !name.is_after(ended.mark),
            Name::Call(key) => ended.at.elapsed() < AGAIN && self.last.get(whose) == Some(key),
        }
    }

    /// Executes a change unless it was executed or is running. Returns the result, and whether it
    /// is of an earlier execution.
    ///
    /// The execution continues if the call is cancelled, because an interrupted change is worse
    /// than an unread reply. `asked_here` is whether this replica issued the approval request; it
    /// matters only while the store is unavailable. `work` sends the request with [`limited`] to
    /// [`LONGEST_SEND`] and records its outcome.
    pub(super) async fn once(
        &self,
        whose: Key,
        name: Name,
        arguments: Key,
        asked_here: bool,
        work: impl Future<Output = Result<Reply, Error>> + Send + 'static,
    ) -> Result<(Result<Reply, Error>, bool), Undone> {
        let mut first = false;
        let mut undone = None;
        let entry = self.deeds.entry(*name.key()).and_compute_with(|known| match known {
            Some(known) if self.counts(&whose, name, known.value()) => Op::Nop,
            known => match self.done().begin(name, arguments) {
                Ok(mark) => {
                    first = true;
                    let outcome = known.map(moka::Entry::into_value).filter(|_| name.is_asked());
                    let earlier = Earlier { outcome, mark };
                    Op::Put(self.begin(name, arguments, asked_here, earlier, work))
                }
                Err(why) => {
                    undone = Some(why);
                    Op::Nop
                }
            },
        });
        if let Some(undone) = undone {
            return Err(undone);
        }
        let (CompResult::Inserted(entry)
        | CompResult::ReplacedWith(entry)
        | CompResult::Unchanged(entry)) = entry
        else {
            return Err(Undone::Forgotten);
        };
        let deed = entry.into_value();
        if first {
            self.last.insert(whose, *name.key());
        } else if deed.arguments != arguments {
            return Err(Undone::OtherCall);
        }
        Ok((deed.result().await?, !first))
    }

    fn begin(
        &self,
        name: Name,
        arguments: Key,
        asked_here: bool,
        earlier: Earlier,
        work: impl Future<Output = Result<Reply, Error>> + Send + 'static,
    ) -> Arc<Deed> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let ended = Arc::new(OnceLock::new());
        let (ledger, end) = (self.clone(), Arc::clone(&ended));
        let task = tokio::spawn(async move {
            let (came, claimed) = match ledger.claims.take(name, &arguments, asked_here).await {
                Ok(claimed) => (Ok(unless_panicked(work).await), claimed),
                Err(undone) => (Err(undone), None),
            };
            let bytes = came.as_ref().ok().and_then(|result| result.as_ref().ok());
            let bytes = bytes.map_or(0, Reply::memory);
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            let refused = matches!(&came, Ok(Err(error)) if error.is_refusal());
            let mark = Uuid::now_v7();
            match claimed {
                // Octopus did not make the change, so the earlier state counts again, here and at
                // other replicas.
                Some(claimed) if refused => ledger.claims.give_up(&claimed, earlier.mark).await,
                Some(claimed) => ledger.claims.ended(name, &claimed, mark).await,
                None => {}
            }
            let refused = refused || came.is_err();
            if refused {
                ledger.done().forget(name);
            } else {
                ledger.done().ended(name, mark);
            }
            let _ = end.set(Ended { at: Instant::now(), mark, bytes });
            ledger.deeds.entry(*name.key()).and_compute_with(|known| match known {
                Some(known) if known.value().number != number => Op::Nop,
                Some(_) if refused => earlier.outcome.map_or(Op::Remove, Op::Put),
                // Inserted again because its weight is known now.
                Some(known) => Op::Put(known.into_value()),
                None => Op::Nop,
            });
            came
        });
        let result = task.map(|ended| match ended {
            Ok(came) => came,
            Err(error) => Ok(Err(Error::Unexpected { reason: error.to_string() })),
        });
        Arc::new(Deed { number, arguments, ended, result: result.boxed().shared() })
    }
}

/// Sends a request within `limit`. After a panic the outcome is unknown, as after a timeout. The
/// limit covers only the request, so its outcome is recorded in each case.
pub(in crate::tool) async fn limited(
    limit: Duration,
    send: impl Future<Output = Result<Reply, Error>>,
) -> Result<Reply, Error> {
    let sent = tokio::time::timeout(limit, unless_panicked(send)).await;
    sent.unwrap_or(Err(Error::TimedOut { after: limit }))
}

/// Turns a panic into an error that does not rule out that the change was made.
async fn unless_panicked(work: impl Future<Output = Result<Reply, Error>>) -> Result<Reply, Error> {
    let result = AssertUnwindSafe(work).catch_unwind().await;
    result.unwrap_or_else(|_| Err(Error::Unexpected { reason: "the request panicked".to_owned() }))
}

impl Deed {
    fn weight(&self) -> u32 {
        self.ended.get().map_or(0, |ended| ended.bytes).saturating_add(DEED_BYTES)
    }

    pub(super) async fn result(&self) -> Came {
        self.result.clone().await
    }
}

#[cfg(test)]
mod tests;

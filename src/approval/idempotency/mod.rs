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

mod executed;
mod key;
mod leases;
mod not_executed;

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, OnceLock,
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
use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;

pub(super) use self::key::IdempotencyKey;
pub use self::not_executed::NotExecuted;
use self::{executed::ExecutedChanges, leases::Leases};
use crate::{
    octopus::{ChangeResponse, Error},
    store::Store,
};

/// How long an executed change is remembered. Longer than the lifetime of an approval request.
const RETENTION: Duration = Duration::from_mins(15);
/// Maximum memory for replies, for all callers.
const MAX_REPLY_BYTES: u64 = 64 * 1024 * 1024;
/// Estimated memory of an execution without its reply.
const EXECUTION_BYTES: u32 = 1024;
/// Number of callers whose latest execution is remembered.
const MAX_CALLERS: u64 = 10_000;
/// How long a repeated call without approval and key counts as the same call. This is the time in
/// which clients give up and retry.
const REPEAT_WINDOW: Duration = Duration::from_mins(1);

/// Maximum duration of one request to Octopus, including the wait for a free connection slot. The
/// outcome of a longer request is unknown.
pub(crate) const MAX_SEND_DURATION: Duration = Duration::from_mins(3);

/// A SHA-256 digest that identifies a caller, a call or a change.
pub(super) type KeyDigest = [u8; 32];

/// Executed changes by idempotency key.
#[derive(Debug, Clone)]
pub(super) struct IdempotencyStore {
    executions: Cache<KeyDigest, Arc<Execution>>,
    /// The latest execution of each caller at each instance.
    last_by_caller: Cache<KeyDigest, KeyDigest>,
    executed_changes: Arc<Mutex<ExecutedChanges>>,
    leases: Leases,
    next_number: Arc<AtomicU64>,
}

/// A change that was executed or is running.
pub(super) struct Execution {
    number: u64,
    /// Digest of the call.
    pub(super) bound_digest: KeyDigest,
    completion: Arc<OnceLock<Completion>>,
    result: Shared<BoxFuture<'static, ChangeOutcome>>,
}

/// The outcome of an execution: the result of the request, or why it was not executed here.
type ChangeOutcome = Result<Result<ChangeResponse, Error>, NotExecuted>;

/// The end of an execution.
#[derive(Debug, Clone, Copy)]
struct Completion {
    at: Instant,
    /// The same moment as a version 7 UUID, to be compared with those of approval requests.
    mark: Uuid,
    /// Size of the reply in memory.
    bytes: u32,
}

/// The execution of an equal change that a new one replaces. It counts again if Octopus refuses the
/// new one.
#[derive(Debug, Default)]
struct PreviousExecution {
    outcome: Option<Arc<Execution>>,
    /// When it ended, as a version 7 UUID.
    mark: Option<Uuid>,
}

impl std::fmt::Debug for Execution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Deed {}", self.number)
    }
}

impl IdempotencyStore {
    /// Creates a store that shares leases with other replicas.
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self {
            leases: Leases::new(store),
            ..Self::with_capacity(MAX_REPLY_BYTES, ExecutedChanges::default())
        }
    }

    /// Creates a store with this memory limit for replies.
    fn with_capacity(bytes: u64, done: ExecutedChanges) -> Self {
        let deeds = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, deed: &Arc<Execution>| deed.weight())
            .time_to_live(RETENTION)
            .build();
        let last = Cache::builder().max_capacity(MAX_CALLERS).time_to_live(RETENTION).build();
        let (done, claims) = (Arc::new(Mutex::new(done)), Leases::new(Store::in_memory()));
        Self {
            executions: deeds,
            last_by_caller: last,
            executed_changes: done,
            leases: claims,
            next_number: Arc::default(),
        }
    }

    /// Returns the execution with this key and call, if it still counts.
    ///
    /// # Errors
    ///
    /// Returns why the change must not be executed, if its reply is not available here.
    pub(super) async fn find(
        &self,
        whose: &KeyDigest,
        name: IdempotencyKey,
        arguments: &KeyDigest,
    ) -> Result<Option<Arc<Execution>>, NotExecuted> {
        match self.executions.get(name.digest()).filter(|deed| self.still_counts(whose, name, deed))
        {
            Some(deed) if deed.bound_digest != *arguments => Err(NotExecuted::KeyReused),
            Some(deed) => Ok(Some(deed)),
            None => {
                let undone = self.lock_executed().reason_not_to_execute(name, arguments);
                match undone {
                    Some(undone) => Err(undone),
                    None => self.leases.find(name, arguments).await.map_or(Ok(None), Err),
                }
            }
        }
    }

    fn lock_executed(&self) -> MutexGuard<'_, ExecutedChanges> {
        self.executed_changes.lock()
    }

    fn still_counts(&self, whose: &KeyDigest, name: IdempotencyKey, deed: &Execution) -> bool {
        let Some(ended) = deed.completion.get() else { return true };
        match name {
            IdempotencyKey::Caller(_) => true,
            IdempotencyKey::Approved { .. } => !name.requested_after(ended.mark),
            IdempotencyKey::UnapprovedCall(key) => {
                ended.at.elapsed() < REPEAT_WINDOW && self.last_by_caller.get(whose) == Some(key)
            }
        }
    }

    /// Executes a change unless it was executed or is running. Returns the result, and whether it
    /// is of an earlier execution.
    ///
    /// The execution continues if the call is cancelled, because an interrupted change is worse
    /// than an unread reply. `asked_here` is whether this replica issued the approval request; it
    /// matters only while the store is unavailable. `work` sends the request with
    /// [`with_send_limit`] and records its outcome.
    pub(super) async fn execute_once(
        &self,
        whose: KeyDigest,
        name: IdempotencyKey,
        arguments: KeyDigest,
        asked_here: bool,
        work: impl Future<Output = Result<ChangeResponse, Error>> + Send + 'static,
    ) -> Result<(Result<ChangeResponse, Error>, bool), NotExecuted> {
        let mut first = false;
        let mut undone = None;
        let entry = self.executions.entry(*name.digest()).and_compute_with(|known| match known {
            Some(known) if self.still_counts(&whose, name, known.value()) => Op::Nop,
            known => match self.lock_executed().begin(name, arguments) {
                Ok(mark) => {
                    first = true;
                    let outcome = known.map(moka::Entry::into_value).filter(|_| name.is_approved());
                    let earlier = PreviousExecution { outcome, mark };
                    Op::Put(self.spawn(name, arguments, asked_here, earlier, work))
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
            return Err(NotExecuted::ReplyEvicted);
        };
        let deed = entry.into_value();
        if first {
            self.last_by_caller.insert(whose, *name.digest());
        } else if deed.bound_digest != arguments {
            return Err(NotExecuted::KeyReused);
        }
        Ok((deed.result().await?, !first))
    }

    fn spawn(
        &self,
        name: IdempotencyKey,
        arguments: KeyDigest,
        asked_here: bool,
        earlier: PreviousExecution,
        work: impl Future<Output = Result<ChangeResponse, Error>> + Send + 'static,
    ) -> Arc<Execution> {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let ended = Arc::new(OnceLock::new());
        let (ledger, end) = (self.clone(), Arc::clone(&ended));
        let task = tokio::spawn(async move {
            let (came, claimed) = match ledger.leases.take(name, &arguments, asked_here).await {
                Ok(claimed) => (Ok(catch_panic(work).await), claimed),
                Err(undone) => (Err(undone), None),
            };
            let bytes = came.as_ref().ok().and_then(|result| result.as_ref().ok());
            let bytes = bytes.map_or(0, ChangeResponse::memory);
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            let refused = matches!(&came, Ok(Err(error)) if error.is_rejection());
            let mark = Uuid::now_v7();
            match claimed {
                // Octopus did not make the change, so the earlier state counts again, here and at
                // other replicas.
                Some(claimed) if refused => ledger.leases.release(&claimed, earlier.mark).await,
                Some(claimed) => ledger.leases.mark_ended(name, &claimed, mark).await,
                None => {}
            }
            let refused = refused || came.is_err();
            if refused {
                ledger.lock_executed().forget(name);
            } else {
                ledger.lock_executed().mark_ended(name, mark);
            }
            let _ = end.set(Completion { at: Instant::now(), mark, bytes });
            ledger.executions.entry(*name.digest()).and_compute_with(|known| match known {
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
            Err(error) => Ok(Err(Error::UnexpectedResponse { reason: error.to_string() })),
        });
        Arc::new(Execution {
            number,
            bound_digest: arguments,
            completion: ended,
            result: result.boxed().shared(),
        })
    }
}

/// Sends a request within `limit`. After a panic the outcome is unknown, as after a timeout. The
/// limit covers only the request, so its outcome is recorded in each case.
pub(crate) async fn with_send_limit(
    limit: Duration,
    send: impl Future<Output = Result<ChangeResponse, Error>>,
) -> Result<ChangeResponse, Error> {
    let sent = tokio::time::timeout(limit, catch_panic(send)).await;
    sent.unwrap_or(Err(Error::TimedOut { timeout: limit }))
}

/// Turns a panic into an error that does not rule out that the change was made.
async fn catch_panic(
    work: impl Future<Output = Result<ChangeResponse, Error>>,
) -> Result<ChangeResponse, Error> {
    let result = AssertUnwindSafe(work).catch_unwind().await;
    result.unwrap_or_else(|_| {
        Err(Error::UnexpectedResponse { reason: "the request panicked".to_owned() })
    })
}

impl Execution {
    fn weight(&self) -> u32 {
        self.completion.get().map_or(0, |ended| ended.bytes).saturating_add(EXECUTION_BYTES)
    }

    pub(super) async fn result(&self) -> ChangeOutcome {
        self.result.clone().await
    }
}

#[cfg(test)]
mod tests;

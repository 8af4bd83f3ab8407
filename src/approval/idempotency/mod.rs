//! Idempotency: executes repeated change requests once.
//!
//! Replies can be large, so the oldest are evicted beyond a memory limit. Executed changes are
//! recorded separately, for as long as their keys are valid.
//!
//! Several approval requests can be open for the same change. The change is executed once for all
//! of them, because its key is derived from the change (caller, request, state that was shown) and
//! not from the approval request. A request that is issued after the execution ended is for a new
//! change, even if it is equal. Version 7 UUIDs (RFC 9562) order approval requests and executions
//! in time. The order is exact within a process; between replicas it is as exact as their clocks.
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

/// Retention of executed changes: 15 minutes, longer than the lifetime of an approval request.
const RETENTION: Duration = Duration::from_mins(15);
/// Maximum memory for the replies of all callers in bytes.
const MAX_REPLY_BYTES: u64 = 64 * 1024 * 1024;
/// Estimated memory of an execution in bytes, without its reply.
const EXECUTION_BYTES: u32 = 1024;
/// Maximum number of callers whose latest execution is recorded.
const MAX_CALLERS: u64 = 10_000;
/// Time in which a repeated call without approval and key is the same call. Clients time out and
/// retry within this time.
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

/// The outcome of an execution: the result of the request, or the reason not to send it.
type ChangeOutcome = Result<Result<ChangeResponse, Error>, NotExecuted>;

/// The end of an execution.
#[derive(Debug, Clone, Copy)]
struct Completion {
    at: Instant,
    /// The same time as a version 7 UUID, for comparison with approval requests.
    mark: Uuid,
    /// Size of the reply in memory.
    bytes: u32,
}

/// The execution of an equal change that a new execution replaces. It is restored if Octopus
/// rejects the new change.
#[derive(Debug, Default)]
struct PreviousExecution {
    outcome: Option<Arc<Execution>>,
    /// Time of its end, as a version 7 UUID.
    mark: Option<Uuid>,
}

impl std::fmt::Debug for Execution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Execution {}", self.number)
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
    fn with_capacity(bytes: u64, executed_changes: ExecutedChanges) -> Self {
        let executions = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, execution: &Arc<Execution>| execution.weight())
            .time_to_live(RETENTION)
            .build();
        let last_by_caller =
            Cache::builder().max_capacity(MAX_CALLERS).time_to_live(RETENTION).build();
        Self {
            executions,
            last_by_caller,
            executed_changes: Arc::new(Mutex::new(executed_changes)),
            leases: Leases::new(Store::in_memory()),
            next_number: Arc::default(),
        }
    }

    /// Returns the execution with this key and call, if it is still valid.
    ///
    /// # Errors
    ///
    /// Returns the reason not to execute the change if its reply is not available here.
    pub(super) async fn find(
        &self,
        caller: &KeyDigest,
        key: IdempotencyKey,
        bound_digest: &KeyDigest,
    ) -> Result<Option<Arc<Execution>>, NotExecuted> {
        match self
            .executions
            .get(key.digest())
            .filter(|execution| self.is_valid(caller, key, execution))
        {
            Some(execution) if execution.bound_digest != *bound_digest => {
                Err(NotExecuted::KeyReused)
            }
            Some(execution) => Ok(Some(execution)),
            None => {
                let not_executed = self.lock_executed().reason_not_to_execute(key, bound_digest);
                match not_executed {
                    Some(not_executed) => Err(not_executed),
                    None => self.leases.find(key, bound_digest).await.map_or(Ok(None), Err),
                }
            }
        }
    }

    fn lock_executed(&self) -> MutexGuard<'_, ExecutedChanges> {
        self.executed_changes.lock()
    }

    fn is_valid(&self, caller: &KeyDigest, key: IdempotencyKey, execution: &Execution) -> bool {
        let Some(completion) = execution.completion.get() else { return true };
        match key {
            IdempotencyKey::Caller(_) => true,
            IdempotencyKey::Approved { .. } => !key.requested_after(completion.mark),
            IdempotencyKey::UnapprovedCall(digest) => {
                completion.at.elapsed() < REPEAT_WINDOW
                    && self.last_by_caller.get(caller) == Some(digest)
            }
        }
    }

    /// Executes a change unless it was executed or is running. Returns the result, and whether it
    /// is the result of an earlier execution.
    ///
    /// The execution continues if the call is cancelled, because an interrupted change is worse
    /// than an unread reply. `requested_here`: whether this replica issued the approval request. It
    /// is used only while the store is unavailable. `work` sends the request with
    /// [`with_send_limit`] and records its outcome.
    pub(super) async fn execute_once(
        &self,
        caller: KeyDigest,
        key: IdempotencyKey,
        bound_digest: KeyDigest,
        requested_here: bool,
        work: impl Future<Output = Result<ChangeResponse, Error>> + Send + 'static,
    ) -> Result<(Result<ChangeResponse, Error>, bool), NotExecuted> {
        let mut is_first = false;
        let mut not_executed = None;
        let entry =
            self.executions.entry(*key.digest()).and_compute_with(|current| match current {
                Some(current) if self.is_valid(&caller, key, current.value()) => Op::Nop,
                current => match self.lock_executed().begin(key, bound_digest) {
                    Ok(mark) => {
                        is_first = true;
                        let outcome =
                            current.map(moka::Entry::into_value).filter(|_| key.is_approved());
                        let previous = PreviousExecution { outcome, mark };
                        Op::Put(self.spawn(key, bound_digest, requested_here, previous, work))
                    }
                    Err(reason) => {
                        not_executed = Some(reason);
                        Op::Nop
                    }
                },
            });
        if let Some(not_executed) = not_executed {
            return Err(not_executed);
        }
        let (CompResult::Inserted(entry)
        | CompResult::ReplacedWith(entry)
        | CompResult::Unchanged(entry)) = entry
        else {
            return Err(NotExecuted::ReplyEvicted);
        };
        let execution = entry.into_value();
        if is_first {
            self.last_by_caller.insert(caller, *key.digest());
        } else if execution.bound_digest != bound_digest {
            return Err(NotExecuted::KeyReused);
        }
        Ok((execution.result().await?, !is_first))
    }

    fn spawn(
        &self,
        key: IdempotencyKey,
        bound_digest: KeyDigest,
        requested_here: bool,
        previous: PreviousExecution,
        work: impl Future<Output = Result<ChangeResponse, Error>> + Send + 'static,
    ) -> Arc<Execution> {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let completion = Arc::new(OnceLock::new());
        let (store, finished) = (self.clone(), Arc::clone(&completion));
        let task = tokio::spawn(async move {
            let (outcome, lease) = match store.leases.take(key, &bound_digest, requested_here).await
            {
                Ok(lease) => (Ok(catch_panic(work).await), lease),
                Err(not_executed) => (Err(not_executed), None),
            };
            let bytes = outcome.as_ref().ok().and_then(|result| result.as_ref().ok());
            let bytes = bytes.map_or(0, ChangeResponse::memory);
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            let is_rejected = matches!(&outcome, Ok(Err(error)) if error.is_rejection());
            let mark = Uuid::now_v7();
            match lease {
                // Octopus did not make the change, so the earlier state is restored, here and at
                // other replicas.
                Some(lease) if is_rejected => store.leases.release(&lease, previous.mark).await,
                Some(lease) => store.leases.mark_ended(key, &lease, mark).await,
                None => {}
            }
            let is_rejected = is_rejected || outcome.is_err();
            if is_rejected {
                store.lock_executed().remove(key);
            } else {
                store.lock_executed().mark_ended(key, mark);
            }
            let _ = finished.set(Completion { at: Instant::now(), mark, bytes });
            store.executions.entry(*key.digest()).and_compute_with(|current| match current {
                Some(current) if current.value().number != number => Op::Nop,
                Some(_) if is_rejected => previous.outcome.map_or(Op::Remove, Op::Put),
                // Inserted again to update its weight.
                Some(current) => Op::Put(current.into_value()),
                None => Op::Nop,
            });
            outcome
        });
        let result = task.map(|joined| match joined {
            Ok(outcome) => outcome,
            Err(error) => Ok(Err(Error::UnexpectedResponse { reason: error.to_string() })),
        });
        Arc::new(Execution { number, bound_digest, completion, result: result.boxed().shared() })
    }
}

/// Sends a request with a timeout of `limit`. After a panic the outcome is unknown, as after a
/// timeout. The limit covers only the request, so its outcome is recorded in each case.
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
        self.completion
            .get()
            .map_or(0, |completion| completion.bytes)
            .saturating_add(EXECUTION_BYTES)
    }

    pub(super) async fn result(&self) -> ChangeOutcome {
        self.result.clone().await
    }
}

#[cfg(test)]
mod tests;

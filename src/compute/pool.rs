//! Compute slots and the queues in front of them.

use std::{
    collections::HashMap,
    fmt,
    num::NonZeroUsize,
    sync::{Arc, atomic::AtomicBool},
    thread::available_parallelism,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Semaphore, task};

use super::{
    budget::{Budget, CancelOnDrop, SpentTime},
    error::ComputeError,
    limits::INLINE_BYTES,
};

/// Identifies a caller. Each caller gets an equal share of the pool.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallerKey(Option<[u8; 32]>);

impl CallerKey {
    /// Key of all callers whose credential has not been accepted yet. Together they get one share,
    /// because an attacker can invent any number of credentials.
    pub const UNVERIFIED: Self = Self(None);

    /// Creates a key from the fingerprint of a caller.
    pub fn new(fingerprint: [u8; 32]) -> Self {
        Self(Some(fingerprint))
    }
}

impl fmt::Debug for CallerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallerKey")
    }
}

/// Pool with a bounded number of slots for CPU-bound work. Clones share the slots.
#[derive(Debug, Clone)]
pub struct ComputePool {
    inner: Arc<Inner>,
    call_time: Duration,
}

#[derive(Debug)]
struct Inner {
    slots: Arc<Semaphore>,
    max_jobs_per_caller: usize,
    /// Queues of the callers that have jobs. A caller without jobs has no entry.
    queues: Mutex<HashMap<CallerKey, CallerQueue>>,
}

#[derive(Debug)]
struct CallerQueue {
    permits: Arc<Semaphore>,
    jobs: usize,
}

/// Registration of a job in the queue of its caller; dropping it removes the registration.
#[derive(Debug)]
struct QueueRegistration {
    inner: Arc<Inner>,
    caller: CallerKey,
}

impl Drop for QueueRegistration {
    fn drop(&mut self) {
        let mut callers = self.inner.queues.lock();
        if let Some(queue) = callers.get_mut(&self.caller) {
            queue.jobs -= 1;
            if queue.jobs == 0 {
                callers.remove(&self.caller);
            }
        }
    }
}

impl ComputePool {
    /// Creates a pool that runs at most `slots` jobs at once; 0 means one per available core.
    /// `call_time` is the compute time of one call.
    pub fn new(slots: usize, call_time: Duration) -> Self {
        let cores = || available_parallelism().map_or(1, NonZeroUsize::get);
        let slots = if slots == 0 { cores() } else { slots };
        let slots = slots.min(Semaphore::MAX_PERMITS);
        let inner = Inner {
            slots: Arc::new(Semaphore::new(slots)),
            max_jobs_per_caller: (slots / 2).max(1),
            queues: Mutex::default(),
        };
        Self { inner: Arc::new(inner), call_time }
    }

    /// Returns the same pool with another compute time for each call.
    #[must_use]
    pub fn with_call_time(&self, call_time: Duration) -> Self {
        Self { inner: Arc::clone(&self.inner), call_time }
    }

    /// Returns the handle to the pool for one call of this caller.
    pub fn scope(&self, caller: CallerKey) -> ComputeScope {
        ComputeScope { pool: self.clone(), caller, spent: SpentTime::default() }
    }

    /// Runs one job with its own budget. A call with several jobs uses a [`ComputeScope`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ComputeScope::run`].
    pub async fn run<T, F>(&self, caller: CallerKey, work: F) -> Result<T, ComputeError>
    where
        F: FnOnce(&Budget) -> Result<T, ComputeError> + Send + 'static,
        T: Send + 'static,
    {
        self.scope(caller).run(work).await
    }

    /// Returns the number of callers that have jobs.
    #[cfg(test)]
    pub(super) fn caller_count(&self) -> usize {
        self.inner.queues.lock().len()
    }

    fn register(&self, caller: CallerKey) -> (QueueRegistration, Arc<Semaphore>) {
        let mut callers = self.inner.queues.lock();
        let queue = callers.entry(caller).or_insert_with(|| CallerQueue {
            permits: Arc::new(Semaphore::new(self.inner.max_jobs_per_caller)),
            jobs: 0,
        });
        queue.jobs += 1;
        (QueueRegistration { inner: Arc::clone(&self.inner), caller }, Arc::clone(&queue.permits))
    }
}

/// Handle of one call to the pool. Clones share the budget of the call.
#[derive(Debug, Clone)]
pub struct ComputeScope {
    pool: ComputePool,
    caller: CallerKey,
    spent: SpentTime,
}

impl ComputeScope {
    /// Returns the caller.
    #[cfg(test)]
    pub(crate) fn caller(&self) -> CallerKey {
        self.caller
    }

    /// Returns a handle for the same caller with the full compute time of a call.
    #[must_use]
    pub fn with_new_budget(&self) -> Self {
        self.pool.scope(self.caller)
    }

    /// Runs a job in the pool and returns its result. Dropping the future cancels the job.
    ///
    /// # Errors
    ///
    /// Returns the error of the job, [`ComputeError::BudgetSpent`] if the call has no compute time
    /// left, [`ComputeError::Panicked`] if the job panicked, or [`ComputeError::ShuttingDown`].
    pub async fn run<T, F>(&self, work: F) -> Result<T, ComputeError>
    where
        F: FnOnce(&Budget) -> Result<T, ComputeError> + Send + 'static,
        T: Send + 'static,
    {
        let limit = self.pool.call_time;
        if self.spent.get() >= limit {
            return Err(ComputeError::BudgetSpent(limit));
        }
        let (registration, permits) = self.pool.register(self.caller);
        let permit = permits.acquire_owned().await.map_err(|_| ComputeError::ShuttingDown)?;
        let slots = Arc::clone(&self.pool.inner.slots);
        let slot = slots.acquire_owned().await.map_err(|_| ComputeError::ShuttingDown)?;
        let cancelled = Arc::new(AtomicBool::new(false));
        let _cancel = CancelOnDrop(Arc::clone(&cancelled));
        let spent = self.spent.clone();
        let span = tracing::Span::current();
        let job = task::spawn_blocking(move || {
            // Held until the work ends, even if it panics or the future was dropped. Drop order:
            // the slot is released last, so that the next job finds the registration removed.
            let _held = (registration, permit, slot);
            let budget = Budget::start(limit, spent, cancelled);
            budget.check()?;
            span.in_scope(|| work(&budget))
        });
        match job.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => Err(ComputeError::Panicked),
            Err(_) => Err(ComputeError::ShuttingDown),
        }
    }

    /// Runs the work inline for at most [`INLINE_BYTES`] bytes of text, and in the pool otherwise.
    /// The work must be linear in the text.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ComputeScope::run`].
    pub async fn run_sized<T, F>(&self, bytes: usize, work: F) -> Result<T, ComputeError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if bytes <= INLINE_BYTES {
            return Ok(work());
        }
        self.run(move |_| Ok(work())).await
    }
}

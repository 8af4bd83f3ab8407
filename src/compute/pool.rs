//! The slots, and the queues in front of them.

use std::{
    collections::HashMap,
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    thread::available_parallelism,
    time::Duration,
};

use tokio::{sync::Semaphore, task};

use super::{
    ComputeError,
    budget::{Budget, CancelOnDrop, Spent},
};

/// Tells callers apart. Their jobs get equal shares of the pool.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallerKey(Option<[u8; 32]>);

impl CallerKey {
    /// The key of all callers whose credential nobody has accepted yet. They share one share, because
    /// an attacker can invent any number of credentials.
    pub const UNPROVEN: Self = Self(None);

    /// Makes a key of the fingerprint of a caller.
    pub fn new(fingerprint: [u8; 32]) -> Self {
        Self(Some(fingerprint))
    }
}

impl fmt::Debug for CallerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallerKey")
    }
}

/// A bounded number of slots for CPU-bound work. Clones share the slots.
#[derive(Debug, Clone)]
pub struct ComputePool {
    inner: Arc<Inner>,
    call_time: Duration,
}

#[derive(Debug)]
struct Inner {
    slots: Arc<Semaphore>,
    share: usize,
    /// The queues of callers that have jobs. A caller without jobs has no entry.
    callers: Mutex<HashMap<CallerKey, Queue>>,
}

#[derive(Debug)]
struct Queue {
    turns: Arc<Semaphore>,
    jobs: usize,
}

/// A job's entry in the bookkeeping of its caller; dropping it removes the entry.
#[derive(Debug)]
struct Entry {
    inner: Arc<Inner>,
    caller: CallerKey,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut callers = self.inner.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = callers.get_mut(&self.caller) {
            queue.jobs -= 1;
            if queue.jobs == 0 {
                callers.remove(&self.caller);
            }
        }
    }
}

impl ComputePool {
    /// Creates a pool. `slots`: how many jobs run at once; 0 means one for each available core.
    /// `call_time`: compute time of one call.
    pub fn new(slots: usize, call_time: Duration) -> Self {
        let cores = || available_parallelism().map_or(1, NonZeroUsize::get);
        let slots = if slots == 0 { cores() } else { slots };
        let slots = slots.min(Semaphore::MAX_PERMITS);
        let inner = Inner {
            slots: Arc::new(Semaphore::new(slots)),
            share: (slots / 2).max(1),
            callers: Mutex::default(),
        };
        Self { inner: Arc::new(inner), call_time }
    }

    /// Returns the same pool with another compute time for each call.
    #[must_use]
    pub fn with_call_time(&self, call_time: Duration) -> Self {
        Self { inner: Arc::clone(&self.inner), call_time }
    }

    /// Returns the pool for one call of this caller.
    pub fn scope(&self, caller: CallerKey) -> ComputeScope {
        ComputeScope { pool: self.clone(), caller, spent: Spent::default() }
    }

    /// Runs one job on a budget of its own. A call with several jobs uses a [`ComputeScope`].
    pub async fn run<T, F>(&self, caller: CallerKey, work: F) -> Result<T, ComputeError>
    where
        F: FnOnce(&Budget) -> Result<T, ComputeError> + Send + 'static,
        T: Send + 'static,
    {
        self.scope(caller).run(work).await
    }

    /// Returns how many callers have jobs.
    #[cfg(test)]
    pub(super) fn callers(&self) -> usize {
        self.inner.callers.lock().unwrap().len()
    }

    fn enter(&self, caller: CallerKey) -> (Entry, Arc<Semaphore>) {
        let mut callers = self.inner.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = callers.entry(caller).or_insert_with(|| Queue {
            turns: Arc::new(Semaphore::new(self.inner.share)),
            jobs: 0,
        });
        queue.jobs += 1;
        (Entry { inner: Arc::clone(&self.inner), caller }, Arc::clone(&queue.turns))
    }
}

/// The pool as one call sees it. Clones share the budget of the call.
#[derive(Debug, Clone)]
pub struct ComputeScope {
    pool: ComputePool,
    caller: CallerKey,
    spent: Spent,
}

impl ComputeScope {
    /// Returns the caller whose share of the pool this is.
    #[cfg(test)]
    pub(crate) fn caller(&self) -> CallerKey {
        self.caller
    }

    /// Returns the pool for the same caller with all compute time of a call left.
    #[must_use]
    pub fn with_new_budget(&self) -> Self {
        self.pool.scope(self.caller)
    }

    /// Runs a job in the pool and returns its result. Dropping the future cancels the job.
    ///
    /// # Errors
    ///
    /// Returns the error of the job, [`ComputeError::BudgetSpent`] when the call has no compute
    /// time left, or [`ComputeError::Panicked`] when the job panicked.
    pub async fn run<T, F>(&self, work: F) -> Result<T, ComputeError>
    where
        F: FnOnce(&Budget) -> Result<T, ComputeError> + Send + 'static,
        T: Send + 'static,
    {
        let limit = self.pool.call_time;
        if self.spent.get() >= limit {
            return Err(ComputeError::BudgetSpent(limit));
        }
        let (entry, turns) = self.pool.enter(self.caller);
        let turn = turns.acquire_owned().await.map_err(|_| ComputeError::ShuttingDown)?;
        let slots = Arc::clone(&self.pool.inner.slots);
        let slot = slots.acquire_owned().await.map_err(|_| ComputeError::ShuttingDown)?;
        let cancelled = Arc::new(AtomicBool::new(false));
        let _cancel = CancelOnDrop(Arc::clone(&cancelled));
        let spent = self.spent.clone();
        let span = tracing::Span::current();
        let job = task::spawn_blocking(move || {
            // Held until the work ends, also where it panics and where nobody waits any more. The
            // slot comes last: the job that gets it finds the bookkeeping done.
            let _held = (entry, turn, slot);
            let budget = Budget::begin(limit, spent, cancelled);
            budget.check()?;
            span.in_scope(|| work(&budget))
        });
        match job.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => Err(ComputeError::Panicked),
            Err(_) => Err(ComputeError::ShuttingDown),
        }
    }

    /// Runs the work inline when it concerns at most [`INLINE_BYTES`](super::INLINE_BYTES) bytes
    /// of text, and in the pool otherwise. The work must be linear in the text.
    ///
    /// # Errors
    ///
    /// As [`ComputeScope::run`].
    pub async fn run_sized<T, F>(&self, bytes: usize, work: F) -> Result<T, ComputeError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if bytes <= super::INLINE_BYTES {
            return Ok(work());
        }
        self.run(move |_| Ok(work())).await
    }
}

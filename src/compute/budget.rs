//! Compute time of a call and cancellation of its jobs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::limits::TIME_SLICE;

/// Remaining compute time of a call, as seen by one of its jobs.
///
/// The compute time of a call is the elapsed time of all its jobs. Waiting for a slot does not
/// count.
#[derive(Debug)]
pub struct Budget {
    limit: Duration,
    spent: SpentTime,
    cancelled: Arc<AtomicBool>,
    started: Instant,
}

/// Reason why a job must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JobStopped {
    /// The future that awaits the result was dropped.
    #[error("the call was cancelled")]
    Cancelled,
    /// The call used all its compute time; the value is the limit.
    #[error("the call used its {} s of compute time", .0.as_secs_f64())]
    BudgetSpent(Duration),
}

/// Compute time of the finished jobs of a call. Clones share the value.
#[derive(Debug, Clone, Default)]
pub(super) struct SpentTime(Arc<AtomicU64>);

impl SpentTime {
    pub(super) fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn add(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanos, Ordering::Relaxed);
    }
}

/// Sets the cancellation flag of a job when the future that awaits the job is dropped.
#[derive(Debug)]
pub(super) struct CancelOnDrop(pub(super) Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Budget {
    /// Creates the budget of a job that starts now.
    pub(super) fn start(limit: Duration, spent: SpentTime, cancelled: Arc<AtomicBool>) -> Self {
        Self { limit, spent, cancelled, started: Instant::now() }
    }

    /// Returns an error if the job must stop: it was cancelled, or the call used its compute time.
    ///
    /// The check costs about as much as reading the clock. Long loops call it every few kilobytes.
    pub fn check(&self) -> Result<(), JobStopped> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(JobStopped::Cancelled);
        }
        if self.spent.get().saturating_add(self.started.elapsed()) > self.limit {
            return Err(JobStopped::BudgetSpent(self.limit));
        }
        Ok(())
    }

    /// Returns whether the job has run for a whole [`TIME_SLICE`]. A job that can be resumed should
    /// then return and queue again behind the jobs of other callers.
    pub fn is_time_slice_over(&self) -> bool {
        self.started.elapsed() >= TIME_SLICE
    }
}

impl Drop for Budget {
    /// Adds the time of the job to the compute time of the call, even after a panic.
    fn drop(&mut self) {
        self.spent.add(self.started.elapsed());
    }
}

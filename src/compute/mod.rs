//! Runs CPU-bound work outside the async workers.
//!
//! A [`ComputePool`] has a fixed number of slots. Each job holds one slot and runs on a blocking
//! thread of the runtime, so a job never delays the tasks of the async workers. A [`ComputeScope`]
//! is the handle of one call to the pool: it holds the caller and the [`Budget`] of the call.
//!
//! Two first-in, first-out queues decide which job runs next:
//!
//! 1. a queue for each caller, which admits at most half of the slots (at least one);
//! 2. the queue for the slots, which all admitted jobs share.
//!
//! So a caller with 64 jobs has at most `max(1, slots / 2)` of them running or waiting for a slot,
//! and delays a job of another caller by at most about one job per slot.
//!
//! The pool has no timeouts. A caller awaits [`ComputeScope::run`] inside the timeout of its
//! request. Dropping that future removes the job from the queue, or cancels the running job. A
//! running job stops at its next [`Budget::check`] and keeps its slot until it returns.
//!
//! ```no_run
//! # use octopus_mcp::compute::{ComputePool, CallerKey, ComputeError};
//! # async fn example(text: String) -> Result<(), ComputeError> {
//! # let pool = ComputePool::new(2, std::time::Duration::from_secs(10));
//! let scope = pool.scope(CallerKey::new([0; 32]));
//! let lines = scope
//!     .run(move |budget| {
//!         let mut lines = 0;
//!         for _line in text.lines() {
//!             budget.check()?;
//!             lines += 1;
//!         }
//!         Ok(lines)
//!     })
//!     .await?;
//! # let _: u32 = lines;
//! # Ok(())
//! # }
//! ```

mod budget;
mod pool;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use budget::{Budget, JobStopped};
pub use pool::{CallerKey, ComputePool, ComputeScope};

/// Size of a text in bytes up to which linear work runs inline on the async worker. Larger work
/// runs in the pool. A linear algorithm takes far less than 50 ms for 64 KiB, the longest time for
/// which a task may block a worker.
pub const INLINE_BYTES: usize = 64 * 1024;

/// Time after which a job should return and queue again, so that jobs of other callers get its
/// slot. See [`Budget::is_turn_over`].
pub const TIME_SLICE: Duration = Duration::from_millis(25);

/// Error of a job that has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComputeError {
    /// The jobs of the call used all compute time of one call (`limits.compute_time`).
    #[error(
        "this call used its {} s of compute time (limits.compute_time)",
        .0.as_secs_f64()
    )]
    BudgetSpent(Duration),
    /// The call was cancelled or timed out while the job ran.
    #[error("the call was cancelled")]
    Cancelled,
    /// The job panicked, which is a bug.
    #[error("the server failed while computing the answer")]
    Panicked,
    /// The runtime is shutting down.
    #[error("the server is shutting down")]
    ShuttingDown,
}

impl ComputeError {
    /// Returns what the client can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::BudgetSpent(_) => {
                "request less data at once, or search with a simpler pattern: shorter repetitions, \
                 `[a-z]` instead of `\\w`, or fixedString"
            }
            Self::Cancelled | Self::ShuttingDown => "retry in a moment",
            Self::Panicked => "this is a bug of the server; report it",
        }
    }
}

impl From<JobStopped> for ComputeError {
    fn from(stopped: JobStopped) -> Self {
        match stopped {
            JobStopped::Cancelled => Self::Cancelled,
            JobStopped::BudgetSpent(limit) => Self::BudgetSpent(limit),
        }
    }
}

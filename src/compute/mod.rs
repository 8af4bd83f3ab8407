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
mod error;
mod limits;
mod pool;
#[cfg(test)]
mod tests;

pub use budget::{Budget, JobStopped};
pub use error::ComputeError;
pub use limits::{INLINE_BYTES, TIME_SLICE};
pub use pool::{CallerKey, ComputePool, ComputeScope};

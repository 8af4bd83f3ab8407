//! Limits of the work on one worker.

use std::time::Duration;

/// Size of a text in bytes up to which linear work runs inline on the async worker. Larger work
/// runs in the pool. A linear algorithm takes far less than 50 ms for 64 KiB, the longest time for
/// which a task may block a worker.
pub const INLINE_BYTES: usize = 64 * 1024;

/// Time after which a job should return and queue again, so that jobs of other callers get its
/// slot. See [`Budget::is_time_slice_over`](super::Budget::is_time_slice_over).
pub const TIME_SLICE: Duration = Duration::from_millis(25);

//! Errors of jobs.

use std::time::Duration;

use super::budget::JobStopped;

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
    /// Returns the next step for the client.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::BudgetSpent(_) => {
                "narrow the request, or search with a simpler pattern: shorter repetitions, \
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

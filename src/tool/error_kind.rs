//! Kinds of errors for audit records. They are a stable interface.

use super::Error;
use crate::{compute::ComputeError, octopus};

impl Error {
    /// Returns the kind of error.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Argument { .. } => "argument",
            Self::UnknownArgument { .. } => "unknown_argument",
            Self::Invalid(_) => "invalid",
            Self::Forbidden(_) => "forbidden",
            Self::NoResource { .. } => "no_resource",
            Self::CannotAsk => "cannot_ask",
            Self::Consent(_) => "consent",
            Self::Expired => "expired",
            Self::Drift(_) => "drift",
            Self::Unsure(_) => "unsure",
            Self::Made(error) => error.kind(),
            Self::Denied { .. } => "denied",
            Self::Crowded { .. } => "instance_rate",
            Self::NotKept => "not_recorded",
            Self::Credential(_) => "credential",
            Self::Output(_) => "output",
            Self::Compute(ComputeError::BudgetSpent(_)) => "compute_time",
            Self::Compute(_) => "compute",
            Self::Octopus(error) => match error {
                octopus::Error::Unauthorized { .. } => "octopus_unauthorized",
                octopus::Error::Forbidden { .. } => "octopus_forbidden",
                octopus::Error::NotFound { .. } => "octopus_not_found",
                octopus::Error::Ambiguous { .. } => "ambiguous",
                octopus::Error::Confusable { .. } => "confusable",
                octopus::Error::MalformedId { .. } => "malformed_id",
                octopus::Error::Rejected { .. } => "octopus_rejected",
                octopus::Error::TooOld { .. } => "octopus_too_old",
                octopus::Error::RateLimited { .. } => "octopus_rate_limited",
                octopus::Error::Unavailable { .. } => "octopus_unavailable",
                octopus::Error::Unreachable { .. } => "octopus_unreachable",
                octopus::Error::TimedOut { .. } => "octopus_timed_out",
                octopus::Error::Paused { .. } => "octopus_paused",
                octopus::Error::Busy { .. } => "octopus_busy",
                octopus::Error::Compute(error) => Self::Compute(*error).kind(),
                octopus::Error::NoMemory { .. } => "octopus_no_memory",
                octopus::Error::InvalidRequest { .. } => "invalid_request",
                octopus::Error::TooLarge { .. } | octopus::Error::TooManyValues { .. } => {
                    "octopus_too_large"
                }
                octopus::Error::Redirected { .. } => "octopus_redirected",
                octopus::Error::Unexpected { .. } => "octopus_unexpected",
            },
        }
    }
}

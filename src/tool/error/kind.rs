//! Kinds of errors for audit records. They are a stable interface.

use crate::{approval::ApprovalError, compute::ComputeError, octopus, tool::Error};

impl Error {
    /// Returns the kind of error.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Argument { .. } => "argument",
            Self::UnknownArgument { .. } => "unknown_argument",
            Self::Invalid(_) => "invalid",
            Self::Forbidden(_) => "forbidden",
            Self::ResourceNotFound { .. } => "no_resource",
            Self::CredentialExpired => "expired",
            Self::Approval(error) => match error {
                ApprovalError::Argument { .. } => "argument",
                ApprovalError::PreviewTooLarge(_) | ApprovalError::NotExecuted(_) => "invalid",
                ApprovalError::NoChannel => "cannot_ask",
                ApprovalError::Rejected(_) => "consent",
                ApprovalError::Drift(_) => "drift",
                ApprovalError::OutcomeUnknown(_) => "unsure",
                ApprovalError::Refused(error) => Self::Octopus(error.clone()).kind(),
            },
            Self::AfterChange(error) => error.kind(),
            Self::Denied { .. } => "denied",
            Self::InstanceRateLimited { .. } => "instance_rate",
            Self::AuditFailed => "not_recorded",
            Self::Credential(_) => "credential",
            Self::Output(_) => "output",
            Self::Compute(ComputeError::BudgetSpent(_)) => "compute_time",
            Self::Compute(_) => "compute",
            Self::Octopus(error) => match error {
                octopus::Error::Unauthorized { .. } => "octopus_unauthorized",
                octopus::Error::Forbidden { .. } => "octopus_forbidden",
                octopus::Error::NotFound { .. } => "octopus_not_found",
                octopus::Error::Ambiguous { .. } => "ambiguous",
                octopus::Error::NameCollision { .. } => "confusable",
                octopus::Error::MalformedId { .. } => "malformed_id",
                octopus::Error::Rejected { .. } => "octopus_rejected",
                octopus::Error::TooOld { .. } => "octopus_too_old",
                octopus::Error::RateLimited { .. } => "octopus_rate_limited",
                octopus::Error::Unavailable { .. } => "octopus_unavailable",
                octopus::Error::Unreachable { .. } => "octopus_unreachable",
                octopus::Error::TimedOut { .. } => "octopus_timed_out",
                octopus::Error::CircuitOpen { .. } => "octopus_paused",
                octopus::Error::ConcurrencyLimit { .. } => "octopus_busy",
                octopus::Error::Compute(error) => Self::Compute(*error).kind(),
                octopus::Error::MemoryExhausted { .. } => "octopus_no_memory",
                octopus::Error::InvalidRequest { .. } => "invalid_request",
                octopus::Error::TooLarge { .. } | octopus::Error::TooManyValues { .. } => {
                    "octopus_too_large"
                }
                octopus::Error::Redirected { .. } => "octopus_redirected",
                octopus::Error::SignOnPage { .. } => "octopus_sign_on",
                octopus::Error::UnexpectedResponse { .. } => "octopus_unexpected",
            },
        }
    }
}

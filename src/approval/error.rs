//! Errors of approvals and of the execution of approved changes.

use super::NotExecuted;
use crate::octopus;

/// Error of a change: it was not approved or not executed, or its outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalError {
    /// An approval argument with an invalid value.
    #[error("{field}: {reason}")]
    Argument {
        /// Name of the argument.
        field: &'static str,
        /// Description of the mistake and of the expected value.
        reason: &'static str,
    },
    /// A change whose preview is too large for a person to approve. Holds the message.
    #[error("{0}")]
    PreviewTooLarge(String),
    /// A change that requires approval by a person, from a client without elicitation.
    #[error(
        "this change requires approval by a person, and this client does not support elicitation"
    )]
    NoChannel,
    /// An approval that is not accepted.
    #[error("{0}")]
    Rejected(&'static str),
    /// The change differs from the preview that was approved.
    #[error("nothing was changed: the state differs from the approved preview. {}", .0.join("; "))]
    Drift(Vec<String>),
    /// A change that is not executed, because it was executed before or may have been.
    #[error(transparent)]
    NotExecuted(#[from] NotExecuted),
    /// A change with an unknown outcome.
    #[error("it is not known whether the change was made: {0}")]
    OutcomeUnknown(octopus::Error),
    /// Octopus refused the change.
    #[error(transparent)]
    Refused(octopus::Error),
}

impl ApprovalError {
    /// Converts an error of a sent change. Only a refusal by Octopus proves that the change was not
    /// made.
    pub(crate) fn of_sent_change(error: octopus::Error) -> Self {
        if error.is_rejection() { Self::Refused(error) } else { Self::OutcomeUnknown(error) }
    }

    /// Returns the next step for the caller; `None` if the message is sufficient.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoChannel => {
                "use a client that supports elicitation, or make the change in the portal; the \
                 server operator can allow approval codes with tools.confirm = \"code\""
            }
            Self::Rejected(_) | Self::Drift(_) => {
                "repeat the call without `confirm` to get a new preview"
            }
            Self::OutcomeUnknown(_) => {
                "check the current state before you repeat the call. This server never sends the \
                 same call with the same `confirm` or `idempotencyKey` again, but a replica without \
                 a shared store can (limits.store)"
            }
            Self::Argument { .. }
            | Self::PreviewTooLarge(_)
            | Self::NotExecuted(_)
            | Self::Refused(_) => return None,
        })
    }
}

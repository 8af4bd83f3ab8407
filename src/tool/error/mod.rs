//! Errors of tool and resource calls, with hints for the caller.
//!
//! A variant exists for each condition that needs its own hint or [`Error::kind`]. Use
//! [`Error::Argument`] for one argument, [`Error::Invalid`] for combinations of arguments, and `?`
//! for errors of Octopus.

mod kind;
mod list_tools;
mod octopus_hint;
mod serde_message;

use std::time::Duration;

use self::{octopus_hint::octopus_hint, serde_message::without_rust_types};
use crate::{
    access::{DenyReason, ExecutePathError, ToolAccess},
    approval::ApprovalError,
    compute::ComputeError,
    octopus,
};

/// Error of a tool call or resource read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An argument with an invalid value.
    #[error("{field}: {reason}")]
    Argument {
        /// Path of the value in the arguments.
        field: String,
        /// Description of the mistake and of the expected value.
        reason: String,
    },
    /// An argument that the tool does not have.
    #[error(
        "unknown argument `{given}`{} Accepted: {}",
        .near.as_ref().map_or_else(|| ".".to_owned(), |near| format!("; did you mean `{near}`?")),
        if .valid.is_empty() { "none".to_owned() } else { .valid.join(", ") }
    )]
    UnknownArgument {
        /// The name in the call.
        given: String,
        /// The nearest accepted name.
        near: Option<String>,
        /// All accepted names.
        valid: Vec<String>,
    },
    /// Arguments that cannot be combined, or a call that is outside the scope of the request.
    #[error("{0}")]
    Invalid(String),
    /// A call whose tier is above the highest tier of the request.
    #[error("{0}")]
    Forbidden(DenyReason),
    /// A resource URI that does not exist or is not visible to the request.
    #[error("resource '{}' not found", .uri.escape_debug())]
    ResourceNotFound {
        /// The URI.
        uri: String,
    },
    /// A call that the policy denies.
    #[error(
        "{}{}{}",
        .rule.as_ref().map_or_else(
            || "no policy rule of this server allows this call".to_owned(),
            |rule| format!("the policy rule '{rule}' of this server denies this call"),
        ),
        .message.as_ref().map_or_else(String::new, |message| format!(": {message}")),
        .unknown.map_or_else(String::new, |condition| format!(
            " (`{condition}` could not be determined, so the rule applies)"
        ))
    )]
    Denied {
        /// The name of the rule; `None` if no rule allows the call.
        rule: Option<String>,
        /// The message of the rule.
        message: Option<String>,
        /// The condition of the rule that could not be determined.
        unknown: Option<&'static str>,
    },
    /// The rate limit of another instance, shared by all callers, is exceeded.
    #[error(
        "the rate limit for the Octopus instance '{instance}', shared by all callers, is exceeded; \
         nothing was done"
    )]
    InstanceRateLimited {
        /// Name of the instance.
        instance: String,
        /// Time until it accepts another call.
        wait: Duration,
    },
    /// A change that was not approved or not executed, or whose outcome is unknown.
    #[error(transparent)]
    Approval(ApprovalError),
    /// A caller whose credential expired while the approval was pending.
    #[error(
        "nothing was changed: the credential of this call expired while the approval was pending"
    )]
    CredentialExpired,
    /// An executed change whose result cannot be returned.
    #[error("the change was made, but its outcome cannot be shown: {0}")]
    AfterChange(Box<Error>),
    /// A change whose audit record cannot be written.
    #[error(
        "nothing was changed: this server requires an audit record of every change, and writing \
         the record failed"
    )]
    AuditFailed,
    /// No Octopus credential is available for the caller.
    #[error(transparent)]
    Credential(octopus::CredentialError),
    /// An error of Octopus or of the connection to it.
    #[error(transparent)]
    Octopus(#[from] octopus::Error),
    /// CPU-bound work of the call that did not finish.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// An answer that cannot be serialized, which is a bug of this server.
    #[error("the answer could not be serialized to JSON: {0}")]
    Output(String),
}

impl From<octopus::CredentialError> for Error {
    fn from(error: octopus::CredentialError) -> Self {
        match error {
            octopus::CredentialError::Octopus(error) => Self::Octopus(error),
            error => Self::Credential(error),
        }
    }
}

impl From<ApprovalError> for Error {
    fn from(error: ApprovalError) -> Self {
        match error {
            ApprovalError::Argument { field, reason } => {
                Self::Argument { field: field.to_owned(), reason: reason.to_owned() }
            }
            ApprovalError::Refused(error) => Self::Octopus(error),
            error => Self::Approval(error),
        }
    }
}

impl From<DenyReason> for Error {
    fn from(reason: DenyReason) -> Self {
        Self::Forbidden(reason)
    }
}

impl From<ExecutePathError> for Error {
    fn from(error: ExecutePathError) -> Self {
        match error {
            ExecutePathError::Malformed(reason) => {
                Self::Argument { field: "path".to_owned(), reason }
            }
            ExecutePathError::Denied(message) => Self::Invalid(message),
        }
    }
}

impl Error {
    /// Converts a serde error about arguments.
    pub(super) fn from_serde(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let reason = error.inner().to_string();
        match (error.path().to_string().as_str(), reason.strip_prefix("missing field `")) {
            // serde reports the name of a missing field, not its path.
            (_, Some(rest)) => Self::Argument {
                field: rest.trim_end_matches('`').to_owned(),
                reason: "this argument is required".to_owned(),
            },
            (field, None) => {
                Self::Argument { field: field.to_owned(), reason: without_rust_types(&reason) }
            }
        }
    }

    /// Converts an error that occurred after Octopus accepted a change, so that it reports the
    /// change as executed. A reply that does not look like one of Octopus may come from a proxy, so
    /// the outcome is unknown.
    pub(super) fn after_change(self) -> Self {
        match self {
            Self::Octopus(error @ octopus::Error::UnexpectedResponse { .. }) => {
                Self::Approval(ApprovalError::OutcomeUnknown(error))
            }
            error => Self::AfterChange(Box::new(error)),
        }
    }

    /// Returns whether the server or Octopus caused the error, and not the call.
    pub fn is_fault(&self) -> bool {
        match self {
            Self::Octopus(error) => error.is_fault(),
            Self::Output(_)
            | Self::Compute(ComputeError::Panicked)
            | Self::Approval(ApprovalError::OutcomeUnknown(_))
            | Self::AfterChange(_)
            | Self::AuditFailed
            | Self::Credential(octopus::CredentialError::Unavailable(..)) => true,
            _ => false,
        }
    }

    /// Returns the next step for the caller; `None` if the message is sufficient. The hint names
    /// only tools that the request can see.
    pub fn hint(&self, access: &ToolAccess) -> Option<String> {
        Some(match self {
            Self::Argument { .. }
            | Self::UnknownArgument { .. }
            | Self::Invalid(_)
            | Self::Credential(_) => return None,
            Self::Forbidden(reason) => reason.remedy(),
            Self::ResourceNotFound { .. } => {
                "resources/templates/list returns the supported URI templates".to_owned()
            }
            Self::Denied { .. } => {
                let is_visible = access.is_visible_by_name("explain_access");
                let details = if is_visible { "explain_access returns details. " } else { "" };
                format!(
                    "{details}Do not retry: the result stays the same while the rule exists. \
                     The server operator manages the rules (policy.rules)"
                )
            }
            Self::InstanceRateLimited { wait, .. } => format!("retry in {} s", wait.as_secs() + 1),
            Self::CredentialExpired => {
                "sign in again or renew the token, then repeat the call; it requires a new approval"
                    .to_owned()
            }
            Self::Approval(error) => return error.hint().map(str::to_owned),
            Self::AfterChange(_) => {
                "do not repeat the change; read the changed object or its events to see the result"
                    .to_owned()
            }
            Self::AuditFailed => {
                "the server operator finds the reason in the log (audit.required); retry after it \
                 is fixed"
                    .to_owned()
            }
            Self::Octopus(error) => return octopus_hint(error, access),
            Self::Compute(error) => error.hint().to_owned(),
            Self::Output(_) => "this is a bug of this server; report it".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Includes errors whose own message states that nothing was sent.
    #[test]
    fn errors_after_a_change_report_it_as_executed() {
        let spent = ComputeError::BudgetSpent(Duration::ZERO);
        for error in [
            Error::Compute(spent),
            Error::Octopus(octopus::Error::Compute(ComputeError::Panicked)),
            Error::Octopus(octopus::Error::TooLarge { limit: 1 }),
            Error::Octopus(octopus::Error::TooManyValues { needed: 2, limit: 1 }),
            Error::Octopus(octopus::Error::MemoryExhausted { sent: true }),
            Error::Octopus(octopus::Error::TimedOut { timeout: Duration::ZERO }),
            Error::Output("x".to_owned()),
            Error::Invalid("x".to_owned()),
        ] {
            let (kind, after) = (error.kind(), error.after_change());
            assert!(after.to_string().starts_with("the change was made, "), "{after}");
            assert_eq!(after.kind(), kind);
        }
        let reason = "x".to_owned();
        let unreadable =
            Error::Octopus(octopus::Error::UnexpectedResponse { reason }).after_change();
        assert_eq!(unreadable.kind(), "unsure");
    }

    #[test]
    fn malformed_path_is_an_error_of_the_path_argument() {
        let reason = "the path is empty".to_owned();
        let error = Error::from(ExecutePathError::Malformed(reason.clone()));
        assert_eq!(error, Error::Argument { field: "path".to_owned(), reason });
    }
}

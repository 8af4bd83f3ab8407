//! Why a call did not come to an answer, and what to try next.

use std::time::Duration;

use super::{Hidden, Policy, octopus_hint::octopus_hint, wording};
use crate::{compute::ComputeError, octopus};

/// Why a call did not come to an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An argument that does not read.
    #[error("{field}: {reason}")]
    Argument {
        /// Where it stands in the arguments.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An argument that the tool does not take.
    #[error(
        "this tool takes no argument `{given}`{}; it takes: {}",
        .near.as_ref().map_or_else(String::new, |near| format!(", perhaps `{near}`")),
        if .valid.is_empty() { "none".to_owned() } else { .valid.join(", ") }
    )]
    UnknownArgument {
        /// The name that was given.
        given: String,
        /// The nearest name that it takes.
        near: Option<String>,
        /// All names that it takes.
        valid: Vec<String>,
    },
    /// Arguments that do not go together.
    #[error("{0}")]
    Invalid(String),
    /// More than this server lets anybody do.
    #[error("{0}")]
    Forbidden(Hidden),
    /// An address of a resource that there is not, or that is not on.
    #[error("there is no resource '{}'", .uri.escape_debug())]
    NoResource {
        /// The address.
        uri: String,
    },
    /// A change that needs a person's yes, from a client that cannot ask for it.
    #[error(
        "this changes Octopus, and a person must agree to it first; this client cannot ask anybody"
    )]
    CannotAsk,
    /// What the rules of the policy do not let through.
    #[error(
        "{}{}{}",
        .rule.as_ref().map_or_else(
            || "no rule of this server allows this".to_owned(),
            |rule| format!("the rule '{rule}' of this server does not allow this"),
        ),
        .message.as_ref().map_or_else(String::new, |message| format!(": {message}")),
        .unknown.map_or_else(String::new, |what| format!(
            " (it cannot be known here whether its `{what}` match, and then it counts)"
        ))
    )]
    Denied {
        /// The rule.
        rule: Option<String>,
        /// What it says to callers.
        message: Option<String>,
        /// What it asks for and nobody knows.
        unknown: Option<&'static str>,
    },
    /// All callers together asked another instance for more than it takes.
    #[error(
        "all callers together ask for more of the Octopus instance '{instance}' than the rate of \
         this server allows; nothing was done"
    )]
    Crowded {
        /// The instance.
        instance: String,
        /// How long until it takes another call.
        wait: Duration,
    },
    /// A yes that does not count.
    #[error("{0}")]
    Consent(&'static str),
    /// A yes of a caller whose credential was good when they were asked, and is so no longer.
    #[error(
        "nothing was changed: the credential that this call came with has expired while the \
         question waited for its answer"
    )]
    Expired,
    /// What was agreed to is not what would be done now.
    #[error("nothing was changed: since this was shown, something else has changed. {}", .0.join("; "))]
    Drift(Vec<String>),
    /// A change that Octopus may or may not have made.
    #[error("it is not known whether the change was made: {0}")]
    Unsure(octopus::Error),
    /// A change that was made, and whose outcome cannot be shown.
    #[error("the change was made, but its outcome cannot be shown: {0}")]
    Made(Box<Error>),
    /// A change of which no record can be kept.
    #[error(
        "nothing was changed: this server keeps a record of every change, and cannot write one now"
    )]
    NotKept,
    /// No Octopus credential acts for the caller.
    #[error(transparent)]
    Credential(octopus::NoCredential),
    /// Octopus did not give what was asked for.
    #[error(transparent)]
    Octopus(#[from] octopus::Error),
    /// The CPU-bound work of the call did not finish.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// An answer that cannot be written down: a mistake of this server.
    #[error("the answer cannot be written as JSON: {0}")]
    Output(String),
}

impl From<octopus::NoCredential> for Error {
    fn from(error: octopus::NoCredential) -> Self {
        match error {
            octopus::NoCredential::Octopus(error) => Self::Octopus(error),
            error => Self::Credential(error),
        }
    }
}

impl Error {
    /// Reads what serde says of arguments.
    pub(super) fn argument(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let reason = error.inner().to_string();
        match (error.path().to_string().as_str(), reason.strip_prefix("missing field `")) {
            // serde names the missing field, not its place.
            (_, Some(rest)) => Self::Argument {
                field: rest.trim_end_matches('`').to_owned(),
                reason: "this argument is required".to_owned(),
            },
            (field, None) => {
                Self::Argument { field: field.to_owned(), reason: wording::plain(&reason) }
            }
        }
    }

    /// Returns the same error as one that came after Octopus accepted a change, so that it says so. An
    /// answer that does not look like one of Octopus leaves open who sent it.
    pub(super) fn after_change(self) -> Self {
        match self {
            Self::Octopus(error @ octopus::Error::Unexpected { .. }) => Self::Unsure(error),
            error => Self::Made(Box::new(error)),
        }
    }

    /// Whether the caller could not have avoided it.
    pub fn is_fault(&self) -> bool {
        match self {
            Self::Octopus(error) => error.is_fault(),
            Self::Output(_)
            | Self::Compute(ComputeError::Panicked)
            | Self::Unsure(_)
            | Self::Made(_)
            | Self::NotKept
            | Self::Credential(octopus::NoCredential::Broken(..)) => true,
            _ => false,
        }
    }

    /// What to try next. It names only tools that `policy` shows.
    pub fn hint(&self, policy: &Policy) -> Option<String> {
        Some(match self {
            Self::Argument { .. }
            | Self::UnknownArgument { .. }
            | Self::Invalid(_)
            | Self::Credential(_) => return None,
            Self::Forbidden(hidden) => hidden.changed_by(),
            Self::NoResource { .. } => {
                "resources/templates/list shows the forms of addresses".to_owned()
            }
            Self::CannotAsk => {
                "use a client that supports elicitation, or do it in the portal; whoever runs this \
                 server can allow codes with tools.confirm = \"code\""
                    .to_owned()
            }
            Self::Denied { .. } => {
                let explained = policy.names("explain_access");
                let explained = if explained { "explain_access says more. " } else { "" };
                format!(
                    "{explained}Trying again changes nothing while the rule holds; whoever runs \
                     this server decides on its rules (policy.rules)"
                )
            }
            Self::Crowded { wait, .. } => format!("call again in {} s", wait.as_secs() + 1),
            Self::Expired => {
                "sign in again, or renew the token; then call again, and the question comes anew"
                    .to_owned()
            }
            Self::Consent(_) | Self::Drift(_) => {
                "call again without `confirm` to see what would be changed now".to_owned()
            }
            Self::Unsure(_) => {
                "look at what is there before calling again; this server sends the same call with \
                 the same `confirm` or `idempotencyKey` no second time; a replica of it that shares \
                 no store with it may (limits.store)"
                    .to_owned()
            }
            Self::Made(_) => {
                "do not make the change again; read the object that it changes, or its events, to \
                 see the outcome"
                    .to_owned()
            }
            Self::NotKept => {
                "whoever runs this server finds the reason in its log (audit.required); call \
                 again when that is mended"
                    .to_owned()
            }
            Self::Octopus(error) => return octopus_hint(error, policy),
            Self::Compute(error) => error.hint().to_owned(),
            Self::Output(_) => "this is a mistake of the server; please report it".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Also errors that would say before a change that nothing was sent.
    #[test]
    fn errors_after_a_change_say_that_it_was_made() {
        let spent = ComputeError::BudgetSpent(Duration::ZERO);
        for error in [
            Error::Compute(spent),
            Error::Octopus(octopus::Error::Compute(ComputeError::Panicked)),
            Error::Octopus(octopus::Error::TooLarge { limit: 1 }),
            Error::Octopus(octopus::Error::TooManyValues { needed: 2, limit: 1 }),
            Error::Octopus(octopus::Error::NoMemory { sent: true }),
            Error::Octopus(octopus::Error::TimedOut { after: Duration::ZERO }),
            Error::Output("x".to_owned()),
            Error::Invalid("x".to_owned()),
        ] {
            let (kind, after) = (error.kind(), error.after_change());
            assert!(after.to_string().starts_with("the change was made, "), "{after}");
            assert_eq!(after.kind(), kind);
        }
        let reason = "x".to_owned();
        let unreadable = Error::Octopus(octopus::Error::Unexpected { reason }).after_change();
        assert_eq!(unreadable.kind(), "unsure");
    }
}

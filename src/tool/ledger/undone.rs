//! Why a change is not executed, and what to do instead.

use crate::tool::Error;

/// Why a change is not executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tool) enum Undone {
    /// The key is bound to another call.
    OtherCall,
    /// The change was executed, and its reply was evicted.
    Forgotten,
    /// Another replica is executing it or did.
    Elsewhere,
    /// The store is unavailable, so executions of other replicas are unknown.
    Unknown,
    /// The limit of remembered changes is reached.
    Full,
}

impl Undone {
    fn words(self) -> &'static str {
        match self {
            Self::OtherCall => {
                "this idempotencyKey was used for another call in the last 15 minutes; pass a new \
                 one"
            }
            Self::Forgotten => {
                "this change was sent in the last 15 minutes and is not sent again, but the reply of \
                 Octopus is no longer available. Read the changed object or its events to see the \
                 result. To make the change again, call without `confirm` and with a new \
                 idempotencyKey, if any"
            }
            Self::Elsewhere => {
                "another replica of this server is executing this change or did so recently, and \
                 only that replica knows the result; the change is not sent again. Read the changed \
                 object or its events to see the result. To make the change again, call without \
                 `confirm` and with a new idempotencyKey, if any. If that fails in the same way, the \
                 other replica stopped before it recorded the end: wait 4 minutes, then call without \
                 `confirm` again"
            }
            Self::Unknown => {
                "nothing was changed: the store that replicas share is unavailable, so another \
                 replica may have executed this change already. Retry in a moment, or call without \
                 `confirm` and without idempotencyKey to get a new approval request"
            }
            Self::Full => {
                "nothing was changed: the limit of changes in 15 minutes is reached; retry in some \
                 minutes"
            }
        }
    }
}

impl From<Undone> for Error {
    fn from(why: Undone) -> Self {
        Self::Invalid(why.words().to_owned())
    }
}

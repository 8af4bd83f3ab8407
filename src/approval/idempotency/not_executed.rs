//! Reasons not to execute a change, with the next step for the caller.

use std::fmt;

/// Reason not to execute a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotExecuted {
    /// The key is bound to another call.
    KeyReused,
    /// The change was executed, and its reply was evicted.
    ReplyEvicted,
    /// Another replica executes the change or executed it.
    OtherReplica,
    /// The store is unavailable, so executions of other replicas are unknown.
    StoreUnavailable,
    /// The maximum number of recorded changes is reached.
    CapacityReached,
}

impl NotExecuted {
    fn message(self) -> &'static str {
        match self {
            Self::KeyReused => {
                "this idempotencyKey was used for another call in the last 15 minutes; pass a new \
                 one"
            }
            Self::ReplyEvicted => {
                "this change was sent in the last 15 minutes and is not sent again, but the reply of \
                 Octopus is no longer available. Read the changed object or its events to see the \
                 result. To make the change again, call without `confirm` and with a new \
                 idempotencyKey, if any"
            }
            Self::OtherReplica => {
                "another replica of this server is executing this change or did so recently, and \
                 only that replica knows the result; the change is not sent again. Read the changed \
                 object or its events to see the result. To make the change again, call without \
                 `confirm` and with a new idempotencyKey, if any. If that fails in the same way, the \
                 other replica stopped before it recorded the end: wait 4 minutes, then call without \
                 `confirm` again"
            }
            Self::StoreUnavailable => {
                "nothing was changed: the store that replicas share is unavailable, so another \
                 replica may have executed this change already. Retry in a moment, or call without \
                 `confirm` and without idempotencyKey to get a new approval request"
            }
            Self::CapacityReached => {
                "nothing was changed: the limit of 100000 changes in 15 minutes is reached; retry \
                 in a few minutes"
            }
        }
    }
}

impl fmt::Display for NotExecuted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for NotExecuted {}

//! Keys under which executed changes are stored.

use uuid::Uuid;

use super::KeyDigest;

/// Key of a change. Calls with equal keys request the same change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::approval) enum IdempotencyKey {
    /// The `idempotencyKey` of the caller.
    Caller(KeyDigest),
    /// An approved change.
    Approved {
        /// Digest of the caller, the request and the state that was shown.
        change: KeyDigest,
        /// Time of the approval request, as a version 7 UUID.
        requested: Uuid,
    },
    /// A call without approval and without a key of the caller. Callers can repeat such a change on
    /// purpose. So this key is valid for a short time only, and until the caller makes another
    /// change.
    UnapprovedCall(KeyDigest),
}

impl IdempotencyKey {
    pub(super) fn digest(&self) -> &KeyDigest {
        match self {
            Self::Caller(key) | Self::Approved { change: key, .. } | Self::UnapprovedCall(key) => {
                key
            }
        }
    }

    /// Returns the digest if it is stored longer than the reply; `None` for calls without approval
    /// and key.
    pub(super) fn stored_digest(&self) -> Option<&KeyDigest> {
        match self {
            Self::Caller(key) | Self::Approved { change: key, .. } => Some(key),
            Self::UnapprovedCall(_) => None,
        }
    }

    /// Returns whether the change was approved.
    pub(super) fn is_approved(&self) -> bool {
        matches!(self, Self::Approved { .. })
    }

    /// Returns whether the approval was requested after a change with this end mark had ended. Then
    /// the approval is for another change.
    pub(super) fn requested_after(&self, mark: Uuid) -> bool {
        matches!(self, Self::Approved { requested, .. } if *requested >= mark)
    }
}

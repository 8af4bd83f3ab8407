//! Keys under which executed changes are stored.

use uuid::Uuid;

use super::KeyDigest;

/// The key of a change. It decides which calls count as the same change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::approval) enum IdempotencyKey {
    /// The `idempotencyKey` of the caller.
    Caller(KeyDigest),
    /// The change that was approved.
    Approved {
        /// Digest of the caller, the request and the state that was shown.
        change: KeyDigest,
        /// The approval request, a version 7 UUID.
        asked: Uuid,
    },
    /// The call itself, without approval. Callers may intend to repeat such a change. So this key
    /// counts for a short time only, and until the caller makes another change.
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

    /// Returns the key if it is stored longer than the reply; `None` for calls without approval and
    /// key.
    pub(super) fn stored_digest(&self) -> Option<&KeyDigest> {
        match self {
            Self::Caller(key) | Self::Approved { change: key, .. } => Some(key),
            Self::UnapprovedCall(_) => None,
        }
    }

    /// Returns whether the key is of an approved change.
    pub(super) fn is_approved(&self) -> bool {
        matches!(self, Self::Approved { .. })
    }

    /// Returns whether a change that ended at this mark had ended before the approval was
    /// requested. Then the approval is for another change.
    pub(super) fn requested_after(&self, mark: Uuid) -> bool {
        matches!(self, Self::Approved { asked, .. } if *asked >= mark)
    }
}

//! Keys under which executed changes are stored.

use uuid::Uuid;

use super::Key;

/// The key of a change. It decides which calls count as the same change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tool) enum Name {
    /// The `idempotencyKey` of the caller.
    Given(Key),
    /// The change that was approved.
    Asked {
        /// Digest of the caller, the request and the state that was shown.
        change: Key,
        /// The approval request, a version 7 UUID.
        asked: Uuid,
    },
    /// The call itself, without approval. Callers may intend to repeat such a change. So this key
    /// counts for a short time only, and until the caller makes another change.
    Call(Key),
}

impl Name {
    pub(super) fn key(&self) -> &Key {
        match self {
            Self::Given(key) | Self::Asked { change: key, .. } | Self::Call(key) => key,
        }
    }

    /// Returns the key if it is stored longer than the reply; `None` for calls without approval and
    /// key.
    pub(super) fn lasting(&self) -> Option<&Key> {
        match self {
            Self::Given(key) | Self::Asked { change: key, .. } => Some(key),
            Self::Call(_) => None,
        }
    }

    /// Returns whether the key is of an approved change.
    pub(super) fn is_asked(&self) -> bool {
        matches!(self, Self::Asked { .. })
    }

    /// Returns whether a change that ended at this mark had ended before the approval was
    /// requested. Then the approval is for another change.
    pub(super) fn is_after(&self, mark: Uuid) -> bool {
        matches!(self, Self::Asked { asked, .. } if *asked >= mark)
    }
}

//! The keys under which changes are remembered.

use uuid::Uuid;

use super::Key;

/// The key that a change is remembered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tool) enum Name {
    /// The key that the caller chose.
    Given(Key),
    /// The change that was approved.
    Asked {
        /// The caller, the request and the state that was shown.
        change: Key,
        /// The question, a version 7 UUID.
        asked: Uuid,
    },
    /// The call itself. People make the same change again, so this counts for a moment, and only
    /// until they make another.
    Call(Key),
}

impl Name {
    pub(super) fn key(&self) -> &Key {
        match self {
            Self::Given(key) | Self::Asked { change: key, .. } | Self::Call(key) => key,
        }
    }

    /// The key that counts for longer than an answer is kept. A call that nobody was asked about has
    /// none.
    pub(super) fn lasting(&self) -> Option<&Key> {
        match self {
            Self::Given(key) | Self::Asked { change: key, .. } => Some(key),
            Self::Call(_) => None,
        }
    }

    /// Whether the name stands for a change that a person was asked about.
    pub(super) fn is_asked(&self) -> bool {
        matches!(self, Self::Asked { .. })
    }

    /// Whether a change that ended at this mark had ended before the question was asked, so that the
    /// question is about another one.
    pub(super) fn is_after(&self, mark: Uuid) -> bool {
        matches!(self, Self::Asked { asked, .. } if *asked >= mark)
    }
}

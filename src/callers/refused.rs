//! Why a proof is not accepted.

use super::Scope;

/// Why a proof is not accepted. It never holds the proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It proves nothing, or no longer.
    #[error("{0}")]
    Invalid(&'static str),
    /// It is right, and allows less than is needed.
    #[error("this needs the scope {}", needs.name())]
    Insufficient {
        /// What it allows, where it allows anything.
        has: Option<Scope>,
        /// What is needed.
        needs: Scope,
    },
    /// It is right, and whoever it is of may do nothing, with any other like it either.
    #[error("{0}")]
    Nothing(&'static str),
    /// It cannot be checked now.
    #[error("{0}")]
    Unavailable(&'static str),
}

//! Errors of paths of `execute`.

/// Error of a rejected path. Each variant contains the message for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecutePathError {
    /// Servers could interpret the path in different ways.
    #[error("{0}")]
    Malformed(String),
    /// The path is outside the access of the request, or is denied to all callers.
    #[error("{0}")]
    Denied(String),
}

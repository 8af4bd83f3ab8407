//! Why `execute` rejects a path.

/// Why a path of a call is rejected. Each variant holds the message for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecutePathError {
    /// Servers could interpret the path in different ways.
    #[error("{0}")]
    Malformed(String),
    /// The path is outside the access of the request, or is denied to everybody.
    #[error("{0}")]
    Denied(String),
}

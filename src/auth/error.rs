//! Errors of authentication.

use super::TokenScope;

/// Why authentication failed. The error never contains the credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The credential is invalid or expired.
    #[error("{0}")]
    Invalid(&'static str),
    /// The credential is valid but lacks a required scope.
    #[error("the request requires the scope {}", <&str>::from(required))]
    InsufficientScope {
        /// The scope that the credential grants.
        granted: Option<TokenScope>,
        /// The scope that the request requires.
        required: TokenScope,
    },
    /// The credential is valid, but the caller has no access. Another credential of the same kind
    /// does not help.
    #[error("{0}")]
    NoAccess(&'static str),
    /// The credential cannot be verified at the moment, because its issuer does not respond.
    #[error("{0}")]
    Unavailable(&'static str),
}

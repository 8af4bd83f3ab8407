//! Errors of authentication.

use super::IssuerSetupError;
use crate::config::TokenScope;

/// Authentication error. It never contains the credential.
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

/// Error of the authentication setup.
#[derive(Debug, thiserror::Error)]
pub enum AuthSetupError {
    /// The tokens file cannot be read or is invalid.
    #[error("auth.tokens_file: {0}")]
    TokensFile(String),
    /// The client of an OAuth issuer cannot be set up.
    #[error(transparent)]
    Issuer(#[from] IssuerSetupError),
    /// The operating system provides no random numbers.
    #[error("no random numbers available: {0}")]
    Random(#[from] getrandom::Error),
}

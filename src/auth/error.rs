//! Errors of authentication.

use std::{io, path::PathBuf};

use super::TokenScope;
use crate::text::root_cause;

/// Why authentication failed. The error never contains the credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The credential is invalid or expired.
    #[error("{0}")]
    Invalid(&'static str),
    /// The credential is valid but lacks a required scope.
    #[error("the request requires the scope {}", needs.name())]
    InsufficientScope {
        /// The scope that the credential grants.
        has: Option<TokenScope>,
        /// The scope that the request requires.
        needs: TokenScope,
    },
    /// The credential is valid, but the caller has no access. Another credential of the same kind
    /// does not help.
    #[error("{0}")]
    NoAccess(&'static str),
    /// The credential cannot be verified at the moment, because its issuer does not respond.
    #[error("{0}")]
    Unavailable(&'static str),
}

/// Why the authentication of callers cannot be set up. The text names the setting.
#[derive(Debug, thiserror::Error)]
pub enum AuthSetupError {
    /// The tokens file cannot be read or is invalid.
    #[error("auth.tokens_file: {0}")]
    TokensFile(String),
    /// The CA file of an issuer cannot be read.
    #[error("auth.oauth.issuers: ca_file: {}: {error}", path.display())]
    ReadCaFile {
        /// Path of the file.
        path: PathBuf,
        /// Why it cannot be read.
        error: io::Error,
    },
    /// The CA file of an issuer contains no valid certificates.
    #[error("auth.oauth.issuers: ca_file: {}: {error}", path.display())]
    InvalidCaFile {
        /// Path of the file.
        path: PathBuf,
        /// Why it is invalid.
        error: reqwest::Error,
    },
    /// The HTTP client for an issuer cannot be created.
    #[error("cannot create the HTTP client: {}", root_cause(.0))]
    HttpClient(reqwest::Error),
    /// The operating system provides no random numbers.
    #[error("no random numbers available: {0}")]
    Random(#[from] getrandom::Error),
}

//! Errors when the verification of OAuth tokens is set up.

use std::{io, path::PathBuf};

use crate::text::root_cause;

/// Error of the setup of an issuer's client. The text names the setting.
#[derive(Debug, thiserror::Error)]
pub enum IssuerSetupError {
    /// The CA file cannot be read.
    #[error("auth.oauth.issuers: ca_file: {} cannot be read: {error}", path.display())]
    ReadCaFile {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        error: io::Error,
    },
    /// The CA file contains no valid certificates.
    #[error(
        "auth.oauth.issuers: ca_file: {} must contain certificates in PEM form: {}",
        path.display(), root_cause(error)
    )]
    InvalidCaFile {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        error: reqwest::Error,
    },
    /// The HTTP client cannot be created.
    #[error("cannot create the HTTP client: {}", root_cause(.0))]
    HttpClient(reqwest::Error),
}

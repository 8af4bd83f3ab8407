//! Errors when the audit log starts.

use std::{io, path::PathBuf};

use super::key::MIN_KEY_LENGTH;
use crate::telemetry::TelemetryError;

/// Error that prevents the start of the audit log. The text names the setting.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The configured chain key cannot be used.
    #[error(transparent)]
    Key(#[from] ChainKeyError),
    /// The audit file cannot be opened, or its chain cannot be continued.
    #[error("audit.file.path: {}: {error}", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        error: io::Error,
    },
    /// The exporter to the collector cannot start.
    #[error("audit.otlp.{0}")]
    Collector(TelemetryError),
    /// The operating system started no thread for the writer.
    #[error("audit: cannot start the writer thread: {0}")]
    StartThread(io::Error),
    /// The writer thread ended before it opened its outputs.
    #[error("audit: the writer thread did not start")]
    ThreadEnded,
    /// The operating system provides no random numbers for a hash key.
    #[error("no random numbers available: {0}")]
    Random(#[from] getrandom::Error),
    /// The hash key cannot be used.
    #[error("audit.hash_key: {0}")]
    HashKey(hmac::digest::InvalidLength),
}

/// Error of using or generating a chain key.
#[derive(Debug, thiserror::Error)]
pub enum ChainKeyError {
    /// The key is too short. The value is its length in bytes.
    #[error(
        "the key has {0} characters; expected at least {MIN_KEY_LENGTH}; generate one with \
         `octopus-mcp audit new-key`"
    )]
    TooShort(usize),
    /// The operating system provides no random numbers.
    #[error("no random numbers available: {0}")]
    Random(#[from] getrandom::Error),
    /// A derived key has an invalid length.
    #[error(transparent)]
    InvalidLength(#[from] hmac::digest::InvalidLength),
    /// The file of a key cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The file contains no valid key, or cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Problem with it.
        error: Box<ChainKeyError>,
    },
    /// A setting contains no valid key, or the path of a file without one.
    #[error("{setting}: {error}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// Problem with it.
        error: Box<ChainKeyError>,
    },
}

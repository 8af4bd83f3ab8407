//! Errors when the store opens.

use std::{io, path::PathBuf};

/// Error of the shared store setup. The text names the setting.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The CA file cannot be read.
    #[error("limits.store_ca_file: {} cannot be read: {error}", path.display())]
    CaFile {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        error: io::Error,
    },
    /// The address is invalid. Only the kind is kept, because the error of the client can contain
    /// the address with its password.
    #[error("limits.store: {0:?}")]
    Address(redis::ErrorKind),
}

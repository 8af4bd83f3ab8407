//! Checks that several sections share.

use std::path::Path;

use crate::config::LoadedConfig;

/// Minimum length of a key in bytes.
pub(super) const MIN_KEY_LEN: usize = 32;

/// Message for a key that is shorter than [`MIN_KEY_LEN`].
pub(super) const KEY_TOO_SHORT: &str =
    "the key is too short; use at least 32 characters, e.g. from `openssl rand -base64 32`";

/// Adds a mistake if the file is not readable.
pub(super) fn check_readable(loaded: &mut LoadedConfig, key: &str, path: &Path) {
    if let Err(error) = std::fs::File::open(path) {
        loaded.add_error(key, &format!("cannot read the file {}: {error}", path.display()));
    }
}

//! Validation of the audit settings.

use std::path::{Path, PathBuf};

use super::checks::{KEY_TOO_SHORT, MIN_KEY_LEN, check_readable};
use crate::config::{AuditSettings, LoadedConfig};

/// Argument that must not be recorded in clear text, because its code approves a change.
const NEVER_RECORDED_ARGUMENT: &str = "confirm";
/// Minimum size of an audit file in bytes, which holds a few records.
const MIN_FILE_BYTES: usize = 4 * 1024;

/// Adds a mistake for every invalid combination of audit settings.
pub(super) fn validate(loaded: &mut LoadedConfig, audit: &AuditSettings) {
    if audit.required && !audit.is_enabled() {
        loaded.add_error(
            "audit.required",
            "no audit output is configured; set audit.file.path, audit.otlp.endpoint or \
             audit.stdout",
        );
    }
    if audit.hash_key.as_ref().is_some_and(|key| key.expose().len() < MIN_KEY_LEN) {
        loaded.add_error("audit.hash_key", KEY_TOO_SHORT);
    }
    check_chain_key(loaded, audit);
    if audit.fields.0.iter().any(|field| field.eq_ignore_ascii_case(NEVER_RECORDED_ARGUMENT)) {
        let message =
            "`confirm` contains a code that approves a change and must not be recorded; remove it";
        loaded.add_error("audit.fields", message);
    }
    if audit.queue == 0 {
        loaded.add_error("audit.queue", "the queue must hold at least 1 record");
    }
    if audit.file.rotate_bytes.0 < MIN_FILE_BYTES {
        loaded.add_error("audit.file.rotate_bytes", "the size must be at least 4 KiB");
    }
    if audit.file.rotate_after.0.is_zero() {
        loaded.add_error("audit.file.rotate_after", "the age must be more than 0, e.g. `24h`");
    }
    let otlp = &audit.otlp;
    if otlp.endpoint.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
        loaded.add_error("audit.otlp.endpoint", "the URL must begin with https:// or http://");
    }
    if otlp.timeout.0.is_zero() || otlp.delay.0.is_zero() {
        loaded.add_error(
            "audit.otlp.timeout",
            "audit.otlp.timeout and audit.otlp.delay must be more than 0",
        );
    }
    if let Some(path) = &otlp.ca_file {
        check_readable(loaded, "audit.otlp.ca_file", path);
    }
}

fn check_chain_key(loaded: &mut LoadedConfig, audit: &AuditSettings) {
    let is_short = |key: &str| key.trim().len() < MIN_KEY_LEN;
    let message = "use at least 32 characters, e.g. from `octopus-mcp audit new-key`";
    if audit.chain_key.as_ref().is_some_and(|key| is_short(key.expose())) {
        loaded.add_error("audit.chain_key", message);
    }
    let Some(path) = &audit.chain_key_file else { return };
    let key = "audit.chain_key_file";
    if audit.chain_key.is_some() {
        loaded.add_error(key, "audit.chain_key is set as well; remove one of the two");
    }
    match std::fs::read_to_string(path) {
        Ok(text) if is_short(&text) => {
            loaded
                .add_error(key, &format!("the key in {} is too short; {message}", path.display()));
        }
        Ok(_) => {}
        Err(error) => {
            loaded.add_error(key, &format!("cannot read the file {}: {error}", path.display()));
        }
    }
    let folder = |path: &Path| std::path::absolute(path).ok()?.parent().map(PathBuf::from);
    if audit.file.path.as_ref().is_some_and(|file| folder(file) == folder(path)) {
        let message = "the key is in the folder of audit.file.path; move it, because a user who \
                       can change records must not be able to read it";
        loaded.add_error(key, message);
    }
}

//! The text that replaces a secret.

/// Beginning of every redaction.
pub(in crate::sanitize) const REDACTION_PREFIX: &str = "[redacted:";

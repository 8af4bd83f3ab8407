//! The result of the sanitizer, and redaction of text without invisible characters.

use std::borrow::Cow;

use super::secrets;

/// Result of [`sanitize`](super::sanitize()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanitized<'a> {
    /// The text without invisible characters and secrets; borrowed if nothing changed.
    pub text: Cow<'a, str>,
    /// Number of removed characters: invisible characters and parts of terminal sequences.
    pub removed: usize,
    /// Number of secrets that were replaced.
    pub redactions: usize,
}

/// Replaces secrets in a text without invisible characters.
pub(super) fn redact_stripped(text: Cow<'_, str>, removed: usize) -> Sanitized<'_> {
    let (text, redacted) = match text {
        Cow::Borrowed(text) => {
            let shown = secrets::redact(text);
            let redacted = shown.total();
            (shown.text, redacted)
        }
        Cow::Owned(text) => {
            let shown = secrets::redact(&text);
            let redacted = shown.total();
            (Cow::Owned(shown.text.into_owned()), redacted)
        }
    };
    Sanitized { text, removed, redactions: redacted }
}

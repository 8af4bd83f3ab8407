//! Redaction of values that are secret only because of their name.

use super::{
    line_sanitizer::sanitize,
    secrets::{self, REDACTION_PREFIX},
};

/// Returns the redaction that replaces `text` if `text` is a secret because its field is called
/// `name`. Returns `None` for ordinary values and for text that [`sanitize`](sanitize()) redacts
/// without the name.
///
/// A value alone does not look like a password, so it is checked together with its name.
pub fn redact_named_value(name: &str, text: &str) -> Option<String> {
    if text.is_empty() || !secrets::may_name_secret(name) || sanitize(text).redactions > 0 {
        return None;
    }
    // Characters that would end the quoted value do not matter for the check.
    let quiet = |c: char| if matches!(c, '"' | '\\' | '\n' | '\r') { ' ' } else { c };
    let value: String = text.trim().chars().take(MAX_NAMED_VALUE_CHARS).map(quiet).collect();
    let sanitized = sanitize(&format!("\"{name}\": \"{value}\"")).text.into_owned();
    let shown = sanitized.strip_prefix(&format!("\"{name}\": \""))?;
    let end = shown.strip_prefix(REDACTION_PREFIX)?.find(']')?;
    shown.get(..=end + REDACTION_PREFIX.len()).map(str::to_owned)
}

/// Number of characters of a value that are checked together with its name.
const MAX_NAMED_VALUE_CHARS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redacts_a_value_because_of_its_name() {
        for (name, text, shown) in [
            ("Database.Password", "hunter2", Some("[redacted:password]")),
            ("password", "two words \"quoted\"\nand a line", Some("[redacted:password]")),
            ("ApiKey", "fake-fake0fake1", Some("[redacted:key]")),
            ("Datenbank.Kennwort", "geheim", Some("[redacted:password]")),
            ("webhookToken", "3f2504e0-4f89-11d3-9a0c-030512345678", Some("[redacted:secret]")),
            ("Database.Password", "********", None),
            ("Database.Password", "#{Other.Password}", None),
            ("Database.Password", "", None),
            ("Database.Host", "hunter2", None),
            ("password", "API-FAKEFAKEFAKEFAKEFAKEFAKE", None),
            ("tokenType", "Bearer", None),
            ("secretName", "web-tls-2026", None),
        ] {
            assert_eq!(redact_named_value(name, text).as_deref(), shown, "{name}: {text}");
        }
    }
}

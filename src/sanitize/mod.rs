//! The sanitizer: removes invisible characters and replaces secrets.
//!
//! All text that users wrote in Octopus goes through [`sanitize`](sanitize()) before it is shown.
//! The functions do no I/O and keep no state.
//!
//! Sanitize the whole text first and truncate it afterwards, because half a private key is harder
//! to recognise than a whole one. Text that is shown line by line goes through
//! [`LineSanitizer`](line_sanitizer::LineSanitizer), which keeps the context of earlier lines.

use std::borrow::Cow;

pub mod escape;
mod invisible;
pub mod line_sanitizer;
mod mask;
mod private_keys;
pub mod secrets;
pub mod strip;

pub use mask::mask;

/// Result of [`sanitize`](sanitize()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanitized<'a> {
    /// The text without invisible characters and secrets; borrowed if nothing changed.
    pub text: Cow<'a, str>,
    /// Number of removed characters: invisible characters and parts of terminal sequences.
    pub removed: usize,
    /// Number of secrets that were replaced.
    pub redactions: usize,
}

/// Compiles all patterns of the sanitizer. Call this at startup: otherwise the first use compiles
/// them, which blocks an async worker for hundreds of milliseconds.
pub fn precompile() {
    invisible::precompile();
    secrets::precompile();
}

/// Removes invisible characters from `text` and replaces secrets in it by `[redacted:KIND]`.
///
/// All text from Octopus that a user could write goes through this function: logs, notes, commit
/// messages, comments, variable values. Invisible characters are removed first, so that they cannot
/// split a secret. The function is idempotent: sanitized text stays unchanged.
pub fn sanitize(text: &str) -> Sanitized<'_> {
    line_sanitizer::LineSanitizer::default().sanitize_next(text)
}

/// Replaces secrets in a text whose invisible characters are already removed.
fn redact_stripped(text: Cow<'_, str>, removed: usize) -> Sanitized<'_> {
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
    let end = shown.strip_prefix(secrets::REDACTION_PREFIX)?.find(']')?;
    shown.get(..=end + secrets::REDACTION_PREFIX.len()).map(str::to_owned)
}

/// Number of characters of a value that are checked together with its name.
const MAX_NAMED_VALUE_CHARS: usize = 1_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "API-FAKEFAKEFAKEFAKEFAKEFAKE";

    #[test]
    fn ordinary_text_stays_borrowed() {
        let sanitized =
            sanitize("08:10:02   Info     |     Making a list of packages to download\n");
        assert!(matches!(sanitized.text, Cow::Borrowed(_)));
        assert_eq!((sanitized.removed, sanitized.redactions), (0, 0));
    }

    #[test]
    fn invisible_characters_cannot_split_a_secret() {
        for inside in ["\u{200b}", "\u{e0041}", "\x1b[0m", "\u{202e}", "\u{ad}", "\0", "\u{fe0f}"] {
            let sanitized =
                sanitize(&KEY.replacen("FAKE", &format!("FA{inside}KE"), 1)).text.into_owned();
            assert_eq!(sanitized, "[redacted:octopus-api-key]", "{inside:?}");
        }
    }

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
            ("password", KEY, None),
            ("tokenType", "Bearer", None),
            ("secretName", "web-tls-2026", None),
        ] {
            assert_eq!(redact_named_value(name, text).as_deref(), shown, "{name}: {text}");
        }
    }

    /// Fragments that form secrets, parts of secrets and separators when they are concatenated at
    /// random.
    fn piece() -> impl Strategy<Value = String> {
        let pieces = [
            KEY,
            "API-",
            "FAKEFAKEFAKEFAKEFAKE",
            "password",
            "Password=",
            "token",
            "TOKEN",
            "apiKey",
            "--secret ",
            "Authorization: Bearer ",
            "https://someone:",
            "@host.example/",
            "eyJGQUtFRkFLRQ.eyJGQUtF.RkFLRQ",
            "-----BEGIN PRIVATE KEY-----",
            "-----END PRIVATE KEY-----",
            "RkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0U=",
            concat!("gh", "p_FAKEfakeFAKEfakeFAKEfakeFAKEfake0000"),
            concat!("AK", "IAFAKEFAKEFAKEFAKE"),
            "hunter2hunter2",
            "[redacted:password]",
            "[redacted:",
            "********",
            "<password>",
            "</password>",
            "key=\"Password\" value=\"",
            "\"",
            "\\\"",
            "'",
            ": ",
            " = ",
            "=",
            ":",
            ";",
            "&",
            ",",
            "]",
            " ",
            "\n",
            "\\n",
            "\r\n",
            "\r",
            "\u{1b}",
            "[31m",
            "\u{200b}",
            "\u{2764}",
            "\u{fe0f}",
            "?sig=",
            "%3D",
            "%253A%20",
            "+",
            "\u{a0}",
            "user=a ",
            "pass=",
            "net user a ",
            "passwort:",
            "--password \\\n",
            "\n----------------------------------------------- eyJGQUtFRkFLRUZB\n",
        ];
        prop_oneof![
            8 => prop::sample::select(pieces.map(str::to_owned).to_vec()),
            1 => ".{0,12}",
            1 => "[A-Za-z0-9_.*=:-]{1,24}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_024))]

        #[test]
        fn sanitizing_is_idempotent(pieces in prop::collection::vec(piece(), 0..40)) {
            let text = pieces.concat();
            let once = sanitize(&text).text.into_owned();
            let twice = sanitize(&once);
            prop_assert_eq!(&twice.text, &once);
            prop_assert_eq!((twice.removed, twice.redactions), (0, 0));
        }

        #[test]
        fn sanitizing_any_text_is_idempotent(text in any::<String>()) {
            let once = sanitize(&text).text.into_owned();
            prop_assert_eq!(&sanitize(&once).text, &once);
        }
    }
}

//! The sanitizer: removes invisible characters and replaces secrets.
//!
//! All text that users wrote in Octopus goes through [`sanitize`](sanitize()) before it is shown.
//! The functions do no I/O and keep no state.
//!
//! Sanitize the whole text first and truncate it afterwards, because half a private key is harder
//! to recognise than a whole one. Text that is shown line by line goes through
//! [`LineSanitizer`](line_sanitizer::LineSanitizer), which keeps the context of earlier lines.

pub mod escape;
mod invisible;
pub mod line_sanitizer;
mod mask;
mod named;
mod private_keys;
mod sanitized;
pub mod secrets;
pub mod strip;

pub use line_sanitizer::sanitize;
pub use mask::mask;
pub use named::redact_named_value;
pub use sanitized::Sanitized;

/// Compiles all patterns of the sanitizer. Call this at startup: otherwise the first use compiles
/// them, which blocks an async worker for hundreds of milliseconds.
pub fn precompile() {
    invisible::precompile();
    secrets::precompile();
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

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

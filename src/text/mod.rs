//! Text that came out of Octopus, made fit to be shown.
//!
//! Pure functions: no I/O, no state, and nothing of the rest of the crate. [`door`] is the one
//! way out for what other people wrote; the other modules read and shorten it.
//!
//! Text passes the door whole and is cut afterwards: half a private key is harder to recognise
//! than a whole one. What is shown line by line passes with the lines before it ([`lines`]).

use std::borrow::Cow;

mod cause;
pub mod cut;
pub mod escape;
pub mod grep;
mod invisible;
mod keys;
pub mod lines;
pub mod log_line;
mod mask;
pub mod nearest;
pub mod sanitize;
pub mod secrets;
pub(crate) mod steps;

pub use cause::cause;
pub use mask::mask;

/// Text that has passed the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed<'a> {
    /// What may be shown.
    pub text: Cow<'a, str>,
    /// How many invisible characters and characters of terminal sequences were removed.
    pub removed: usize,
    /// How many secrets were replaced.
    pub redacted: usize,
}

/// Compiles all patterns of sanitizing and redaction now. They are compiled at their first use
/// otherwise, which holds up an async worker for hundreds of milliseconds.
pub fn prepare() {
    invisible::prepare();
    secrets::prepare();
}

/// Removes invisible characters from `text` and replaces secrets in it.
///
/// Everything that comes out of Octopus and was written by somebody passes here: logs, notes,
/// commit messages, comments, variable values. Invisible characters go first, so that they cannot
/// split a secret. A text that has passed passes again unchanged.
pub fn door(text: &str) -> Passed<'_> {
    lines::Lines::default().pass(text)
}

/// Replaces secrets in what is left of a text without its invisible characters.
fn redacted(text: Cow<'_, str>, removed: usize) -> Passed<'_> {
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
    Passed { text, removed, redacted }
}

/// The secret that `text` is, where it stands under this name: a value alone does not look like a
/// password, and beside its name it does. What is given is the word for all of it.
pub fn named(name: &str, text: &str) -> Option<String> {
    if text.is_empty() || !secrets::may_name(name) || door(text).redacted > 0 {
        return None;
    }
    // As one value in quotes, whatever is in it.
    let quiet = |c: char| if matches!(c, '"' | '\\' | '\n' | '\r') { ' ' } else { c };
    let value: String = text.trim().chars().take(LONGEST_NAMED).map(quiet).collect();
    let passed = door(&format!("\"{name}\": \"{value}\"")).text.into_owned();
    let shown = passed.strip_prefix(&format!("\"{name}\": \""))?;
    let end = shown.strip_prefix(secrets::REPLACEMENT)?.find(']')?;
    shown.get(..=end + secrets::REPLACEMENT.len()).map(str::to_owned)
}

/// What is longer is known by its beginning.
const LONGEST_NAMED: usize = 1_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "API-FAKEFAKEFAKEFAKEFAKEFAKE";

    #[test]
    fn ordinary_text_is_borrowed() {
        let passed = door("08:10:02   Info     |     Making a list of packages to download\n");
        assert!(matches!(passed.text, Cow::Borrowed(_)));
        assert_eq!((passed.removed, passed.redacted), (0, 0));
    }

    #[test]
    fn invisible_characters_cannot_split_a_secret() {
        for inside in ["\u{200b}", "\u{e0041}", "\x1b[0m", "\u{202e}", "\u{ad}", "\0", "\u{fe0f}"] {
            let passed = door(&KEY.replacen("FAKE", &format!("FA{inside}KE"), 1)).text.into_owned();
            assert_eq!(passed, "[redacted:octopus-api-key]", "{inside:?}");
        }
    }

    #[test]
    fn a_value_is_known_by_its_name() {
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
            assert_eq!(named(name, text).as_deref(), shown, "{name}: {text}");
        }
    }

    /// Pieces which, put together at random, make secrets, halves of secrets and what hides them.
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
        fn the_door_is_idempotent(pieces in prop::collection::vec(piece(), 0..40)) {
            let text = pieces.concat();
            let once = door(&text).text.into_owned();
            let twice = door(&once);
            prop_assert_eq!(&twice.text, &once);
            prop_assert_eq!((twice.removed, twice.redacted), (0, 0));
        }

        #[test]
        fn any_text_passes(text in any::<String>()) {
            let once = door(&text).text.into_owned();
            prop_assert_eq!(&door(&once).text, &once);
        }
    }
}

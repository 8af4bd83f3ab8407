//! Redaction: replaces secrets in text by `[redacted:KIND]`.
//!
//! - `rules` is the table of secret kinds with their patterns.
//! - `candidate` and `value` reject matches that are ordinary text.
//! - `find` applies the rules. It first determines which rules have a hint in the text and runs
//!   only those.
//! - `hints` finds the short texts that precede or begin a secret.
//! - `normalized_text` replaces Unicode spaces, fullwidth characters and percent escapes by the
//!   spelling that the rules expect, and maps matches back.
//! - `wrap` extends a secret over a line break.
//! - `continuation` finds the first line to keep while a text is read line by line.
//! - `secret_match` and `redaction` contain the shared types: the range of a secret and its
//!   replacement.
//!
//! Octopus writes `********` in place of a sensitive value. This mask is not a value and stays.
//!
//! The time is linear in the text for every input. A pattern is compiled when one of its hints is
//! found for the first time.
//!
//! # Limits
//!
//! A secret without a distinctive form and without a name is not recognised. The following are not
//! recognised either, because ordinary text looks the same (samples: `corpus/limits.txt`):
//!
//! - A plain word as value after a space behind the sign of a tight assignment (`NPM_TOKEN= word`)
//!   or inside a URL.
//! - A value on the next line, except in three cases: its name and a `:` or `=` end the line and
//!   the value stands alone or in quotes; the line ends with a flag and a continuation (`\`, a
//!   backtick, `^`); the value is the next item of a list. Without quotes the value must contain
//!   letters and digits. Connection strings, URLs and positional arguments are not followed to the
//!   next line.
//! - A form-encoded command without any percent escape (`--token+word`).
//! - A secret that is wrapped at a width not listed in `wrap`, behind a further indentation, or
//!   over more than 1 KiB.
//! - A wrapped secret that is identified only by its end, by a closing tag or by a closing quote.
//! - The rest of a wrapped password that is shorter than six characters or has no digit.
//! - Encodings other than percent escapes, such as base64 of a text that contains a secret.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

mod candidate;
mod continuation;
#[cfg(test)]
mod corpus;
mod find;
mod hints;
mod normalized_text;
mod redaction;
mod rules;
mod secret_match;
mod value;
mod wrap;

pub(super) use continuation::continuation_start;
pub(crate) use hints::first_hint;
pub(super) use redaction::REDACTION_PREFIX;
pub(super) use wrap::MAX_WRAPPED_SECRET_BYTES;

use find::find_secrets;
use secret_match::{SecretMatch, merge_overlapping};

/// Result of [`redact`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted<'a> {
    /// The text with `[redacted:KIND]` in place of every secret; borrowed if nothing was replaced.
    pub text: Cow<'a, str>,
    /// Number of replaced secrets by kind.
    pub counts: BTreeMap<&'static str, usize>,
}

impl Redacted<'_> {
    /// Returns the number of replaced secrets.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }
}

/// Replaces every secret in `text` by `[redacted:KIND]`.
pub fn redact(text: &str) -> Redacted<'_> {
    redact_from(text, 0, &[])
}

/// Redacts `text` from `start` on and returns that part. The text before `start` is only context
/// for the rules. `keys` are ranges already detected as parts of private keys.
pub(super) fn redact_from<'t>(text: &'t str, start: usize, keys: &[Range<usize>]) -> Redacted<'t> {
    let mut text = Cow::Borrowed(text);
    let mut counts = BTreeMap::new();
    let private_key =
        |at: &Range<usize>| SecretMatch { at: at.clone(), rule: usize::MAX, kind: "private-key" };
    let mut private_keys: Vec<SecretMatch> = keys.iter().map(private_key).collect();
    for _ in 0..MAX_PASSES {
        let mut found = find_secrets(&text);
        found.append(&mut private_keys);
        found.retain(|secret| secret.at.end > start);
        for secret in &mut found {
            secret.at.start = secret.at.start.max(start);
        }
        let found = merge_overlapping(found);
        if found.is_empty() {
            break;
        }
        text = Cow::Owned(replace(&text, &found));
        for secret in found {
            *counts.entry(secret.kind).or_default() += 1;
        }
    }
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..).unwrap_or_default()),
        Cow::Owned(text) if start == 0 => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.get(start..).unwrap_or_default().to_owned()),
    };
    Redacted { text, counts }
}

/// Compiles all patterns, so that the first texts do not wait for it.
pub(super) fn precompile() {
    find::precompile();
    hints::precompile();
    continuation::precompile();
    value::precompile();
    wrap::precompile();
}

/// Returns whether a field name contains a word that is typical of secrets.
pub(super) fn may_name_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "pwd", "key", "secret", "token", "credential", "auth"]
        .iter()
        .chain(rules::FOREIGN_PASSWORD_WORDS)
        .any(|it| name.contains(it))
}

/// Maximum number of redaction passes. A replaced secret can uncover another one beside it, so
/// passes repeat until one finds nothing. Two passes are usual; the limit keeps the time linear.
const MAX_PASSES: usize = 8;

fn replace(text: &str, found: &[SecretMatch]) -> String {
    let mut left = String::with_capacity(text.len());
    let mut done = 0;
    for SecretMatch { at, kind, .. } in found {
        left.push_str(text.get(done..at.start).unwrap_or_default());
        left.push_str(REDACTION_PREFIX);
        left.push_str(kind);
        left.push(']');
        done = at.end;
    }
    left.push_str(text.get(done..).unwrap_or_default());
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_with_short_flags_take_linear_time() {
        let grows = time_ratio("curl login -p ab ", 30);
        assert!(grows < 5.0, "one text takes {grows} times as long as 16 parts");
    }

    /// Returns the time of one text divided by the time of 16 texts of a sixteenth. The result is
    /// about 1 if the time is linear. Both runs are short, so that the best of several rounds is
    /// not interrupted on a busy machine.
    fn time_ratio(part: &str, times: usize) -> f64 {
        let (short, long) = (part.repeat(times), part.repeat(16 * times));
        let time = |text: &str, times: usize| {
            let started = std::time::Instant::now();
            (0..times).for_each(|_| drop(std::hint::black_box(redact(text))));
            started.elapsed().as_secs_f64()
        };
        let rounds = (0..12).map(|_| (time(&short, 16), time(&long, 1)));
        let best = |(s, l): (f64, f64), (short, long): (f64, f64)| (s.min(short), l.min(long));
        let (short, long) = rounds.fold((f64::MAX, f64::MAX), best);
        long / short
    }

    #[test]
    fn other_spellings_take_linear_time() {
        let wrapped = format!("{} eyJhbGciOiJI\n", "-".repeat(63));
        for part in [
            "password%3D%20x%0A",
            "%25252525252525",
            "%41\n",
            "+%2B",
            "password\u{a0}=\u{3000}",
            "password:\n",
            "--password \\\n",
            "user=a pass=",
            "net user a ",
            "htpasswd -b -C 1 ",
            "*:*:a:b:",
            "credentials: a / ",
            "passwort: ",
            &wrapped,
        ] {
            let grows = time_ratio(part, 500 / part.len() + 1);
            assert!(grows < 5.0, "{part:?}: one text takes {grows} times as long as 16 parts");
        }
    }

    #[test]
    fn counts_secrets_by_kind() {
        let text = "API-FAKEFAKEFAKEFAKEFAKE1 password: hunter2 API-FAKEFAKEFAKEFAKEFAKE2";
        let redacted = redact(text);
        assert_eq!(
            redacted.text,
            "[redacted:octopus-api-key] password: [redacted:password] [redacted:octopus-api-key]"
        );
        assert_eq!(redacted.counts, BTreeMap::from([("octopus-api-key", 2), ("password", 1)]));
        assert_eq!(redacted.total(), 3);
    }

    #[test]
    fn specific_rule_determines_kind_of_overlapping_secrets() {
        let redacted = redact("password: API-FAKEFAKEFAKEFAKEFAKE1");
        assert_eq!(redacted.text, "password: [redacted:octopus-api-key]");
    }

    #[test]
    fn octopus_mask_is_not_redacted() {
        for text in [
            "Server=db;User Id=app;Password=********",
            "Password=********;Database=orders",
            "password: ********, user: x",
            "{\"apiKey\": \"********\"}",
            "https://deploy:********@git.example/repo.git",
            "Authorization: Bearer ********",
            "--password ********",
            "?sv=2024&sig=********&se=1",
            "[redacted:password] was shown as password: [redacted:octopus-api-key]",
        ] {
            assert!(matches!(redact(text).text, Cow::Borrowed(_)), "{text}");
        }
    }
}

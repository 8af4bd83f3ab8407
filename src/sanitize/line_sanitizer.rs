//! Sanitizes consecutive texts, such as the lines of a log or the items of a list, with shared
//! context.
//!
//! One line can make the next one a secret: a name with its value below it, an XML element over
//! several lines, a private key. [`LineSanitizer`] keeps only as much of the previous lines as this
//! needs. The lines together show nothing that [`sanitize`] hides in the whole text.

use std::{borrow::Cow, ops::Range};

use super::{
    private_keys::PrivateKeyScanner,
    sanitized::{Sanitized, redact_stripped},
    secrets, strip,
};
use crate::text::step_counter;

/// Sanitizer for consecutive texts that carries context from one text to the next.
#[derive(Debug, Default)]
pub struct LineSanitizer {
    keys: PrivateKeyScanner,
    /// End of the previous text, if a secret may continue after it; otherwise empty.
    carry: String,
}

/// Maximum number of carried bytes. No name with its separator is longer, and a longer wrapped
/// secret is not followed.
const MAX_CARRY: usize = secrets::MAX_WRAPPED_SECRET_BYTES;

impl LineSanitizer {
    /// Returns whether the next text needs the carried context.
    pub fn has_context(&self) -> bool {
        self.keys.is_inside_key() || !self.carry.is_empty()
    }

    /// Returns whether no carried context applies to `lines` and no private key occurs in them.
    pub fn needs_no_context_for(&self, lines: &[u8]) -> bool {
        self.carry.is_empty() && self.keys.can_skip(lines)
    }

    /// Reads the next text: one line without its end, or several lines. Returns the sanitized text
    /// if the carried context redacts a secret in it.
    pub fn redact_with_context(&mut self, text: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(text);
        let text = strip::strip_invisible(&text).text;
        if !self.has_context() {
            self.private_key_lines(&text);
            self.carry_end_of(text.strip_suffix('\n').unwrap_or(&text));
            return None;
        }
        let Sanitized { text, redactions: redacted, .. } = self.sanitize_with_context(text, 0);
        (redacted > 0).then(|| text.into_owned())
    }

    /// Sanitizes the next text with the carried context.
    pub fn sanitize_next<'t>(&mut self, text: &'t str) -> Sanitized<'t> {
        let strip::Stripped { text, removed } = strip::strip_invisible(text);
        if self.needs_no_context_for(text.as_bytes()) {
            self.carry_end_of(text.strip_suffix('\n').unwrap_or(&text));
            return redact_stripped(text, removed);
        }
        self.sanitize_with_context(text, removed)
    }

    fn sanitize_with_context<'t>(&mut self, text: Cow<'t, str>, removed: usize) -> Sanitized<'t> {
        let keys = self.private_key_lines(&text);
        if text.trim().is_empty() {
            self.carry_blank(text.strip_suffix('\n').unwrap_or(&text));
            return Sanitized { text, removed, redactions: 0 };
        }
        let mut whole = std::mem::take(&mut self.carry);
        if !whole.is_empty() {
            whole.push('\n');
        }
        let start = whole.len();
        whole.push_str(&text);
        step_counter::add(whole.len());
        let keys: Vec<_> = keys.iter().map(|at| at.start + start..at.end + start).collect();
        let shown = secrets::redact_from(&whole, start, &keys);
        let redacted = shown.total();
        let text = if redacted == 0 { text } else { Cow::Owned(shown.text.into_owned()) };
        // A final line break is not part of the last line, so it is not carried.
        if whole.len() > start && whole.ends_with('\n') {
            whole.pop();
        }
        self.carry_end_of(&whole);
        Sanitized { text, removed, redactions: redacted }
    }

    /// Scans the lines of a text for private keys and returns the ranges of their inner lines.
    fn private_key_lines(&mut self, text: &str) -> Vec<Range<usize>> {
        let mut hidden = Vec::new();
        if self.keys.can_skip(text.as_bytes()) {
            return hidden;
        }
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            if self.keys.next_is_key_line(content.as_bytes()) {
                hidden.push(start..start + content.len());
            }
            start += line.len();
        }
        hidden
    }

    /// Carries the end of a text, from the first line with a name without a value.
    /// Earlier lines are not needed and would be scanned again with every text.
    fn carry_end_of(&mut self, text: &str) {
        let (_, end) = text.split_at(text.ceil_char_boundary(text.len().saturating_sub(MAX_CARRY)));
        self.carry.clear();
        if let Some(start) = secrets::continuation_start(end) {
            self.carry.push_str(end.get(start..).unwrap_or_default());
        }
    }

    /// Carries a blank text. It holds no value, but any number of blanks may precede one.
    fn carry_blank(&mut self, text: &str) {
        if self.carry.is_empty() {
            return;
        }
        self.carry.push('\n');
        self.carry.push_str(text);
        if self.carry.len() > MAX_CARRY {
            let open = std::mem::take(&mut self.carry);
            self.carry_end_of(&open);
        }
    }
}

/// Removes invisible characters from `text` and replaces secrets in it by `[redacted:KIND]`.
///
/// All text from Octopus that a user could write goes through this function: logs, notes, commit
/// messages, comments, variable values. Invisible characters are removed first, so that they cannot
/// split a secret. The function is idempotent: sanitized text stays unchanged.
pub fn sanitize(text: &str) -> Sanitized<'_> {
    LineSanitizer::default().sanitize_next(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "RkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0U";

    /// Texts with a secret (`hunter2-x1y2z3` or a line of a key) that is recognisable only over
    /// several lines.
    fn multi_line_secrets() -> Vec<String> {
        let pair = concat!("AK", "IAFAKEFAKEFAKEFAKE\nhunter2hunter2hunter2hunter2hunter2hunte");
        [
            "env:\n- name: DB_PASSWORD\n  value: hunter2-x1y2z3\nend",
            "- name: 'orders.api-key'\r\n  value: \"hunter2-x1y2z3\"\r\nend",
            "{\n\"Name\": \"Db.Password\",\n\"Value\": \"hunter2-x1y2z3\"\n}",
            "<add key=\"DbPassword\"\n\n     value=\"hunter2-x1y2z3\" />",
            "<setting name=\"Password\" as=\"String\">\n  <value>hunter2-x1y2z3</value>\n</setting>",
            "<key>ApiKey</key>\n\n<string>hunter2-x1y2z3</string>",
            "\"auth\":\n\n\"aHVudGVyMi14MXkyejM6aHVudGVyMg==\"",
            "\"auth\"\n:\n\"aHVudGVyMi14MXkyejM6aHVudGVyMg==\"",
            pair,
            "Password:\nhunter2-x1y2z3\nend",
            "\"db_password\":\n  \"hunter2-x1y2z3\",\nend",
            "- --password\n- hunter2-x1y2z3\nend",
            "deploy --password \\\n  hunter2-x1y2z3 --now\nend",
            "a\u{a0}password\u{a0}:\nhunter2-x1y2z3\nend",
        ]
        .map(str::to_owned)
        .into_iter()
        .chain([
            format!("-----BEGIN PRIVATE KEY-----\n{KEY}\n{KEY}\nRkFLRQ==\n-----END PRIVATE KEY-----"),
            format!("Private-Lines: 2\n{KEY}\n{KEY}\nPrivate-MAC: fa4e"),
        ])
        .collect()
    }

    fn is_hidden(shown: &str) -> bool {
        shown.contains("[redacted:")
            && !["hunter2", "aHVud", "RkFL"].iter().any(|it| shown.contains(it))
    }

    #[test]
    fn multi_line_secrets_are_redacted_line_by_line() {
        for text in multi_line_secrets() {
            assert!(is_hidden(&sanitize(&text).text), "{text}");
            let (mut sanitizer, mut context_sanitizer) =
                (LineSanitizer::default(), LineSanitizer::default());
            let (mut lines, mut lines_in_context) = (Vec::new(), Vec::new());
            for line in text.lines() {
                lines.push(sanitizer.sanitize_next(line).text.into_owned());
                let shown = context_sanitizer.redact_with_context(line.as_bytes());
                lines_in_context.push(shown.unwrap_or_else(|| sanitize(line).text.into_owned()));
            }
            for shown in [lines.join("\n"), lines_in_context.join("\n")] {
                assert!(is_hidden(&shown), "{shown}");
                assert_eq!(shown.lines().count(), text.lines().count());
            }
            // The same text as a log with a timestamp before each line.
            if !text.contains("\"auth\"")
                && !text.contains("\n\n")
                && !text.contains("FAKEFAKEFAKEFAKE\n")
            {
                let logged = text.replace('\n', "\n08:10:02   Info     |   ");
                assert!(is_hidden(&sanitize(&logged).text), "{logged}");
                let mut lines = LineSanitizer::default();
                let shown = logged.lines().map(|line| lines.sanitize_next(line).text.into_owned());
                let shown = shown.collect::<Vec<_>>().join("\n");
                assert!(is_hidden(&shown), "{shown}");
            }
        }
    }

    #[test]
    fn carry_is_dropped_when_no_value_follows() {
        for text in [
            "name: DB_PASSWORD\nvalue is set\nvalue: hunter2",
            "name: DB_HOST\nvalue: hunter2",
            "<setting name=\"Password\">\n</setting>\n<value>hunter2</value>",
        ] {
            let mut lines = LineSanitizer::default();
            for line in text.lines() {
                assert_eq!(lines.sanitize_next(line).text, line);
            }
            assert!(!lines.has_context(), "{text}");
        }
        let mut lines = LineSanitizer::default();
        lines.sanitize_next(&format!("{}name: DB_PASSWORD", "x ".repeat(100_000)));
        assert!(lines.has_context() && lines.carry.len() <= MAX_CARRY);
        (0..2 * MAX_CARRY).for_each(|_| assert!(lines.sanitize_next("").text.is_empty()));
        assert!(!lines.has_context());
    }

    /// Lines that can make the following line a secret.
    fn line() -> impl Strategy<Value = String> {
        let pad = |width: usize, end: &str| format!("{} {end}", "-".repeat(width - end.len() - 1));
        let token = concat!("gh", "p_FAKEfake0FAKEfake1");
        prop::sample::select(vec![
            "password:".to_owned(),
            "  db_password =".to_owned(),
            "08:10:02   Info     |   apiKey:".to_owned(),
            "08:10:02   Info     |   fa4e0fa4e1fa4e2fa4e3".to_owned(),
            "--password \\".to_owned(),
            "hunter2".to_owned(),
            "- hunter2x".to_owned(),
            "\"hunter2\", and more".to_owned(),
            "FAKEfake2FAKEfake3 and more".to_owned(),
            "Fa4e".repeat(16),
            "Fa4e".repeat(19),
            pad(64, token),
            pad(76, token),
            pad(76, "eyJFAKEfake0"),
            format!("08:10:02   Info     |   {}", pad(76, "eyJFAKEfake0")),
            format!("08:10:02   Info     |   {}", "Fa4e".repeat(19)),
            "password%3A%20hunter2 and more".to_owned(),
            String::new(),
            "an ordinary line".to_owned(),
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(192))]

        #[test]
        fn line_by_line_result_equals_whole_text_result(all in prop::collection::vec(line(), 0..24)) {
            let whole = sanitize(&all.join("\n")).text.into_owned();
            let mut lines = LineSanitizer::default();
            let shown: Vec<_> = all.iter().map(|line| lines.sanitize_next(line).text.into_owned()).collect();
            prop_assert_eq!(shown.join("\n"), whole);
            prop_assert!(lines.carry.len() <= MAX_CARRY);
        }
    }

    #[test]
    fn carry_holds_only_the_last_open_line() {
        let wrapped = format!("{} {}", "-".repeat(63), concat!("gh", "p_FAKEfake0FAK"));
        for line in ["name: DB_PASSWORD", "password:", "--password \\", &wrapped] {
            let mut lines = LineSanitizer::default();
            (0..40).for_each(|_| drop(lines.sanitize_next(line)));
            assert_eq!(lines.carry, line);
        }
    }

    #[test]
    fn continued_texts_take_linear_time() {
        for parts in [
            &["name: DB_PASSWORD"][..],
            &["name: DB_PASSWORD", "", " ", "", "\n", "", "", ""],
            &["\"auth\":"],
            &["<add key=\"DbPassword\"", ""],
        ] {
            let texts: Vec<&str> = parts.iter().copied().cycle().take(2000).collect();
            let bytes: usize = texts.iter().map(|text| text.len() + 1).sum();
            let mut lines = LineSanitizer::default();
            let pass_all = || texts.iter().for_each(|text| drop(lines.sanitize_next(text)));
            let ((), steps) = step_counter::count(pass_all);
            assert!(steps <= 3 * bytes, "{parts:?}: {steps} steps for {bytes} bytes");
            assert!(lines.has_context());
        }
    }

    #[test]
    fn private_key_lines_are_counted_once_next_to_other_secrets() {
        let encrypted = format!(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{KEY}\n{KEY}\npassword=hunter2"
        );
        let sanitized = sanitize(&encrypted);
        assert!(
            is_hidden(&sanitized.text) && sanitized.text.contains("Proc-Type"),
            "{}",
            sanitized.text
        );
        assert_eq!(sanitized.redactions, 4);
        let whole = format!(
            "-----BEGIN PRIVATE KEY-----\n{KEY}\n{KEY}\n-----END PRIVATE KEY-----\npassword=hunter2"
        );
        let sanitized = sanitize(&whole);
        assert_eq!(sanitized.text, "[redacted:private-key]\npassword=[redacted:password]");
        assert_eq!(sanitized.redactions, 2);
    }
}

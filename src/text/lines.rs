//! Sanitizes consecutive texts, such as the lines of a log or the items of a list, with shared
//! context.
//!
//! One line can make the next one a secret: a name with its value below it, an XML element over
//! several lines, a private key. [`LineSanitizer`] keeps only as much of the previous lines as this
//! needs. The lines together show nothing that [`sanitize`](super::sanitize()) hides in the whole
//! text.

use std::{borrow::Cow, ops::Range};

use super::{Passed, keys::Keys, redacted, sanitize, secrets, steps};

/// Sanitizer for consecutive texts that carries context from one text to the next.
#[derive(Debug, Default)]
pub struct Lines {
    keys: Keys,
    /// End of the previous text, if a secret may continue after it; otherwise empty.
    open: String,
}

/// Maximum number of carried bytes. No name with its separator is longer, and a wrapped secret is
/// followed no further.
const OPEN: usize = secrets::REACH;

impl Lines {
    /// Returns whether the next text needs the carried context.
    pub fn go_on(&self) -> bool {
        self.keys.have_begun() || !self.open.is_empty()
    }

    /// Returns whether no carried context applies to `lines` and no private key occurs in them.
    pub fn are_plain(&self, lines: &[u8]) -> bool {
        self.open.is_empty() && self.keys.are_absent(lines)
    }

    /// Reads the next text: one line without its end, or several lines. Returns the sanitized text
    /// if the carried context redacts a secret in it.
    pub fn hide(&mut self, text: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(text);
        let text = sanitize::sanitize(&text).text;
        if !self.go_on() {
            self.of_keys(&text);
            self.remember(text.strip_suffix('\n').unwrap_or(&text));
            return None;
        }
        let Passed { text, redacted, .. } = self.pass_on(text, 0);
        (redacted > 0).then(|| text.into_owned())
    }

    /// Sanitizes the next text with the carried context.
    pub fn pass<'t>(&mut self, text: &'t str) -> Passed<'t> {
        let sanitize::Sanitized { text, removed } = sanitize::sanitize(text);
        if self.are_plain(text.as_bytes()) {
            self.remember(text.strip_suffix('\n').unwrap_or(&text));
            return redacted(text, removed);
        }
        self.pass_on(text, removed)
    }

    fn pass_on<'t>(&mut self, text: Cow<'t, str>, removed: usize) -> Passed<'t> {
        let keys = self.of_keys(&text);
        if text.trim().is_empty() {
            self.remember_blank(text.strip_suffix('\n').unwrap_or(&text));
            return Passed { text, removed, redacted: 0 };
        }
        let mut whole = std::mem::take(&mut self.open);
        if !whole.is_empty() {
            whole.push('\n');
        }
        let start = whole.len();
        whole.push_str(&text);
        steps::add(whole.len());
        let keys: Vec<_> = keys.iter().map(|at| at.start + start..at.end + start).collect();
        let shown = secrets::redact_after(&whole, start, &keys);
        let redacted = shown.total();
        let text = if redacted == 0 { text } else { Cow::Owned(shown.text.into_owned()) };
        // A final line break is not part of the last line, so it is not carried.
        if whole.len() > start && whole.ends_with('\n') {
            whole.pop();
        }
        self.remember(&whole);
        Passed { text, removed, redacted }
    }

    /// Scans the lines of a text for private keys and returns the ranges of their inner lines.
    fn of_keys(&mut self, text: &str) -> Vec<Range<usize>> {
        let mut hidden = Vec::new();
        if self.keys.are_absent(text.as_bytes()) {
            return hidden;
        }
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            if self.keys.hide(content.as_bytes()) {
                hidden.push(start..start + content.len());
            }
            start += line.len();
        }
        hidden
    }

    /// Carries the end of a text, from the line in which a name begins whose value may follow.
    /// Earlier lines are not needed and would be scanned again with every text.
    fn remember(&mut self, text: &str) {
        let (_, end) = text.split_at(text.ceil_char_boundary(text.len().saturating_sub(OPEN)));
        self.open.clear();
        if let Some(start) = secrets::goes_on(end) {
            self.open.push_str(end.get(start..).unwrap_or_default());
        }
    }

    /// Carries a blank text. It holds no value, but any number of blanks may precede one.
    fn remember_blank(&mut self, text: &str) {
        if self.open.is_empty() {
            return;
        }
        self.open.push('\n');
        self.open.push_str(text);
        if self.open.len() > OPEN {
            let open = std::mem::take(&mut self.open);
            self.remember(&open);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::door;

    const KEY: &str = "RkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0U";

    /// Texts whose secret, `hunter2-x1y2z3` or a line of a key, is only recognisable over several
    /// lines.
    fn over_lines() -> Vec<String> {
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
    fn a_secret_over_several_lines_is_hidden_line_by_line_as_in_the_whole() {
        for text in over_lines() {
            assert!(is_hidden(&door(&text).text), "{text}");
            let (mut passes, mut hides) = (Lines::default(), Lines::default());
            let (mut passed, mut hidden) = (Vec::new(), Vec::new());
            for line in text.lines() {
                passed.push(passes.pass(line).text.into_owned());
                let shown = hides.hide(line.as_bytes());
                hidden.push(shown.unwrap_or_else(|| door(line).text.into_owned()));
            }
            for shown in [passed.join("\n"), hidden.join("\n")] {
                assert!(is_hidden(&shown), "{shown}");
                assert_eq!(shown.lines().count(), text.lines().count());
            }
            // The same text as a log that has a time in front of each line.
            if !text.contains("\"auth\"")
                && !text.contains("\n\n")
                && !text.contains("FAKEFAKEFAKEFAKE\n")
            {
                let logged = text.replace('\n', "\n08:10:02   Info     |   ");
                assert!(is_hidden(&door(&logged).text), "{logged}");
                let mut lines = Lines::default();
                let shown = logged.lines().map(|line| lines.pass(line).text.into_owned());
                let shown = shown.collect::<Vec<_>>().join("\n");
                assert!(is_hidden(&shown), "{shown}");
            }
        }
    }

    #[test]
    fn what_does_not_follow_its_name_stays_and_nothing_is_kept_of_it() {
        for text in [
            "name: DB_PASSWORD\nvalue is set\nvalue: hunter2",
            "name: DB_HOST\nvalue: hunter2",
            "<setting name=\"Password\">\n</setting>\n<value>hunter2</value>",
        ] {
            let mut lines = Lines::default();
            for line in text.lines() {
                assert_eq!(lines.pass(line).text, line);
            }
            assert!(!lines.go_on(), "{text}");
        }
        let mut lines = Lines::default();
        lines.pass(&format!("{}name: DB_PASSWORD", "x ".repeat(100_000)));
        assert!(lines.go_on() && lines.open.len() <= OPEN);
        (0..2 * OPEN).for_each(|_| assert!(lines.pass("").text.is_empty()));
        assert!(!lines.go_on());
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
        fn lines_hide_one_by_one_what_they_hide_together(all in prop::collection::vec(line(), 0..24)) {
            let whole = door(&all.join("\n")).text.into_owned();
            let mut lines = Lines::default();
            let shown: Vec<_> = all.iter().map(|line| lines.pass(line).text.into_owned()).collect();
            prop_assert_eq!(shown.join("\n"), whole);
            prop_assert!(lines.open.len() <= OPEN);
        }
    }

    #[test]
    fn no_more_is_remembered_than_makes_a_secret_of_the_next_line() {
        let wrapped = format!("{} {}", "-".repeat(63), concat!("gh", "p_FAKEfake0FAK"));
        for line in ["name: DB_PASSWORD", "password:", "--password \\", &wrapped] {
            let mut lines = Lines::default();
            (0..40).for_each(|_| drop(lines.pass(line)));
            assert_eq!(lines.open, line);
        }
    }

    #[test]
    fn texts_that_continue_are_read_in_linear_time() {
        for parts in [
            &["name: DB_PASSWORD"][..],
            &["name: DB_PASSWORD", "", " ", "", "\n", "", "", ""],
            &["\"auth\":"],
            &["<add key=\"DbPassword\"", ""],
        ] {
            let texts: Vec<&str> = parts.iter().copied().cycle().take(2000).collect();
            let bytes: usize = texts.iter().map(|text| text.len() + 1).sum();
            let mut lines = Lines::default();
            let pass_all = || texts.iter().for_each(|text| drop(lines.pass(text)));
            let ((), steps) = steps::of(pass_all);
            assert!(steps <= 3 * bytes, "{parts:?}: {steps} steps for {bytes} bytes");
            assert!(lines.go_on());
        }
    }

    #[test]
    fn lines_of_a_key_are_hidden_beside_another_secret_and_counted_once() {
        let encrypted = format!(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{KEY}\n{KEY}\npassword=hunter2"
        );
        let passed = door(&encrypted);
        assert!(is_hidden(&passed.text) && passed.text.contains("Proc-Type"), "{}", passed.text);
        assert_eq!(passed.redacted, 4);
        let whole = format!(
            "-----BEGIN PRIVATE KEY-----\n{KEY}\n{KEY}\n-----END PRIVATE KEY-----\npassword=hunter2"
        );
        let passed = door(&whole);
        assert_eq!(passed.text, "[redacted:private-key]\npassword=[redacted:password]");
        assert_eq!(passed.redacted, 2);
    }
}

//! Extends secrets over line breaks that a terminal or encoder inserts at a fixed width.
//!
//! A line is wrapped if it has one of the usual widths and ends inside a secret. The part on the
//! first line is either a secret by itself, or begins like a token with a standard format. The
//! first word of the next line belongs to the secret if it looks generated. A line that is one word
//! of the same width continues the secret once more. So line-by-line redaction (`LineSanitizer`)
//! equals redaction of the whole text.

use std::{ops::Range, sync::LazyLock};

use memchr::memchr_iter;
use regex::Regex;

use super::{
    rules::TOKEN_PREFIXES,
    secret_match::{SecretMatch, merge_overlapping},
    value::{is_ordinary_form, looks_random},
};

/// Usual line widths of PEM, MIME, mail, terminals and consoles, in bytes.
const USUAL_WIDTHS: &[usize] = &[64, 70, 72, 76, 78, 79, 80, 100, 120, 132];

/// Maximum length of a wrapped line including the time and level of a log, in bytes.
const MAX_WRAPPED_LINE_BYTES: usize = 300;

/// Maximum length of one wrapped secret in bytes. `LineSanitizer` carries the same number.
pub(in crate::sanitize) const MAX_WRAPPED_SECRET_BYTES: usize = 1024;

/// Message of a line: without the time and level of a log and without indentation.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineContent<'t> {
    start: usize,
    pub(super) text: &'t str,
}

impl<'t> LineContent<'t> {
    pub(super) fn read(text: &'t str, line: Range<usize>) -> Option<Self> {
        let line_text = text.get(line.clone())?.trim_end_matches('\r');
        let start = LOG_PREFIX.as_ref()?.find(line_text).map_or(0, |prefix| prefix.end());
        Some(Self { start: line.start + start, text: line_text.get(start..)? })
    }

    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(super) fn has_usual_width(&self) -> bool {
        USUAL_WIDTHS.contains(&self.text.len())
            && self.text.bytes().next_back().is_some_and(is_token_byte)
    }

    /// Returns the first word of the line; empty if it is a flag or the name of a setting.
    pub(super) fn first_word(&self) -> &'t str {
        let end = self.text.bytes().position(|byte| !is_token_byte(byte));
        let head = self.text.get(..end.unwrap_or(self.text.len())).unwrap_or_default();
        let is_name = head.starts_with('-') || head.trim_end_matches('=').contains('=');
        if is_name { "" } else { head }
    }

    /// Returns the token with a standard format that begins in the last word of the line.
    fn incomplete_token(&self) -> Option<SecretMatch> {
        let start = INCOMPLETE_TOKEN.as_ref()?.captures(self.text)?;
        let at = start.get_match().range();
        let tail = start.name("tail")?.as_str();
        let form = (0..TOKEN_PREFIXES.len()).find(|form| start.get(form + 1).is_some())?;
        let form = TOKEN_PREFIXES.get(form)?;
        (form.is_certain || looks_random(tail)).then(|| SecretMatch {
            at: self.start + at.start..self.start + at.end,
            rule: usize::MAX,
            kind: form.kind,
        })
    }
}

/// Adds the parts of the secrets in `found` that are on following lines. `found` is sorted and
/// without overlap, and so is the result.
pub(super) fn add_continuations(text: &str, found: Vec<SecretMatch>) -> Vec<SecretMatch> {
    let mut more = Vec::new();
    let mut chain: Option<WrappedSecret> = None;
    let mut start = 0;
    for end in memchr_iter(b'\n', text.as_bytes()).chain([text.len()]) {
        let line = std::mem::replace(&mut start, end + 1)..end;
        let previous = chain.take();
        if previous.is_none() && !may_be_wrapped(text.get(line.clone()).unwrap_or_default()) {
            continue;
        }
        let begins = line.start;
        let Some(content) = LineContent::read(text, line) else { continue };
        chain = WrappedSecret::ending_in(&content, &found, &mut more)
            .map(|chain| WrappedSecret { start: begins, ..chain });
        if let Some(previous) = previous {
            let (secret, goes_on) = previous.continue_in(&content, begins);
            more.extend(secret);
            chain = goes_on.or(chain);
        }
    }
    if more.is_empty() {
        return found;
    }
    more.extend(found);
    merge_overlapping(more)
}

/// A secret inside which the previous line was wrapped.
#[derive(Debug, Clone)]
struct WrappedSecret {
    /// Start of the line in which the secret begins.
    start: usize,
    kind: &'static str,
    /// Width at which the text is wrapped.
    width: usize,
    /// Whether the part so far is not yet a complete secret of its kind.
    is_incomplete: bool,
}

impl WrappedSecret {
    /// Returns the secret inside which this line ends. A secret that is identified only by its
    /// beginning is also pushed to `more`.
    fn ending_in(
        content: &LineContent<'_>,
        found: &[SecretMatch],
        more: &mut Vec<SecretMatch>,
    ) -> Option<Self> {
        if !content.has_usual_width() {
            return None;
        }
        let ends = |secret: &&SecretMatch| secret.at.end == content.end();
        let last = found.partition_point(|secret| secret.at.end <= content.end());
        let secret = last.checked_sub(1).and_then(|last| found.get(last)).filter(ends);
        let unfinished = if secret.is_none() { content.incomplete_token() } else { None };
        let kind = secret.or(unfinished.as_ref())?.kind;
        let is_unfinished = unfinished.is_some();
        more.extend(unfinished);
        Some(Self { start: 0, kind, width: content.text.len(), is_incomplete: is_unfinished })
    }

    /// Returns the part of the secret on the next line, and the secret if it continues after that
    /// line.
    fn continue_in(
        self,
        content: &LineContent<'_>,
        begins: usize,
    ) -> (Option<SecretMatch>, Option<Self>) {
        let head = content.first_word();
        let is_full = head.len() == content.text.len() && head.len() == self.width;
        let belongs = is_full
            || (looks_random(head) && (self.is_incomplete || !is_ordinary_form(head)))
            || (self.is_incomplete && head.len() >= 4);
        if head.is_empty() || !belongs || begins > self.start + MAX_WRAPPED_SECRET_BYTES + 1 {
            return (None, None);
        }
        let at = content.start..content.start + head.len();
        let secret = SecretMatch { at, rule: usize::MAX, kind: self.kind };
        (Some(secret), is_full.then_some(self))
    }
}

/// Returns whether a line has a usual width, or may have one without its time and level.
fn may_be_wrapped(line: &str) -> bool {
    let line = line.trim_end_matches('\r').as_bytes();
    let is_long = (MIN_WIDTH..=MAX_WRAPPED_LINE_BYTES).contains(&line.len());
    let is_logged = line.first().is_some_and(u8::is_ascii_digit);
    is_long
        && (is_logged || USUAL_WIDTHS.contains(&line.len()))
        && line.last().is_some_and(|byte| is_token_byte(*byte))
}

const MIN_WIDTH: usize = 64;

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=_.~-".contains(&byte)
}

/// Compiles the patterns.
pub(super) fn precompile() {
    LazyLock::force(&LOG_PREFIX);
    LazyLock::force(&INCOMPLETE_TOKEN);
}

/// `None` only if the pattern is invalid; a test checks that it is valid.
static LOG_PREFIX: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\A[0-9][0-9:.TZ+-]{7,34}[ \t]+[A-Za-z]+[ \t]*\|[ \t]{0,80}").ok()
});

/// Matches an incomplete token of any standard format at the end of a line.
static INCOMPLETE_TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let forms: Vec<_> = TOKEN_PREFIXES.iter().map(|start| format!("({})", start.pattern)).collect();
    Regex::new(&format!(r"(?-u:\b)(?:{})(?P<tail>[A-Za-z0-9+/=_.~-]{{4,}})$", forms.join("|"))).ok()
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sanitize::secrets::redact;

    #[test]
    fn patterns_compile() {
        assert!(LOG_PREFIX.is_some() && INCOMPLETE_TOKEN.is_some());
        assert_eq!(USUAL_WIDTHS.first(), Some(&MIN_WIDTH));
        // A group inside a prefix pattern would shift the group numbers of the following patterns.
        let start = INCOMPLETE_TOKEN.as_ref().unwrap();
        assert_eq!(start.captures_len(), TOKEN_PREFIXES.len() + 2);
    }

    /// Returns a line of this width that ends with this word.
    fn line(width: usize, word: &str) -> String {
        format!("{} {word}", "-".repeat(width - word.len() - 1))
    }

    const TOKEN: &str = concat!("gh", "p_FAKEfake0FAKEfake1FAKEfake2FAKEfake3");

    #[test]
    fn wrapped_token_is_redacted_on_both_lines() {
        let (first, rest) = TOKEN.split_at(14);
        for width in USUAL_WIDTHS {
            let text = format!("{}\n{rest}, and so on", line(*width, first));
            let shown = redact(&text).text.into_owned();
            let expected = line(*width, first).replace(first, "[redacted:github-token]");
            assert_eq!(shown, format!("{expected}\n[redacted:github-token], and so on"));
        }
        // A token of any length continues over full lines.
        let long = format!("eyJ{}", "FAKEfake0".repeat(40));
        let (first, rest) = long.split_at(40);
        let rest: Vec<_> =
            rest.as_bytes().chunks(76).map(|it| str::from_utf8(it).unwrap()).collect();
        let text = format!("{}\n{}\nend", line(76, first), rest.join("\n"));
        let shown = redact(&text).text.into_owned();
        assert_eq!(shown.matches("[redacted:jwt]").count(), 1 + rest.len(), "{shown}");
        assert!(shown.ends_with("\nend") && !shown.contains("FAKE"), "{shown}");
    }

    /// A complete secret can end at a usual width by chance.
    #[test]
    fn ordinary_word_after_complete_secret_stays() {
        for width in USUAL_WIDTHS {
            for secret in ["password=hunter2", TOKEN] {
                for next in [
                    "ServerTasks-12345 finished",
                    "Deployments-77",
                    "1.12.0 was deployed",
                    "v2.0.1-rc.1 was deployed",
                    "Larkspur.Web.1.12.0.nupkg uploaded",
                    "web01.larkspur.example is healthy",
                    "3f2504e0-4f89-11d3-9a0c-0305e82c3301 is its ID",
                    "2026-06-18T08:10:02 done",
                    "Deployment went on",
                ] {
                    let shown =
                        redact(&format!("{}\n{next}", line(*width, secret))).text.into_owned();
                    assert!(shown.ends_with(&format!("]\n{next}")), "{width}: {shown}");
                }
            }
        }
    }

    #[test]
    fn text_after_unwrapped_line_stays() {
        let (first, rest) = TOKEN.split_at(14);
        for text in [
            format!("{}\n{rest}", line(77, first)),
            format!("{}\n  {rest}", line(76, first)),
            format!("{}\n--flag\n{rest}", line(76, first)),
            format!("{}\nDeployment of {rest}", line(76, "API-GATEWAY")),
            format!("{}\n{rest}", line(76, "ordinary")),
        ] {
            let shown = redact(&text).text;
            assert!(shown.ends_with(rest), "{shown}");
        }
        let whole = format!("{}\nDeployment went on", line(76, TOKEN));
        assert!(redact(&whole).text.ends_with("[redacted:github-token]\nDeployment went on"));
        // Redaction covers only the carried context.
        let endless =
            format!("{}{}", line(76, first), format!("\n{}", "Fa4e".repeat(19)).repeat(40));
        let shown = redact(&endless).text.into_owned();
        let hidden = shown.matches("[redacted:").count();
        assert!((10..20).contains(&hidden), "{hidden}");
    }
}

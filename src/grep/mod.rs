//! Searches the lines of a text of any size for a pattern, in bounded memory.
//!
//! The text arrives in chunks that may be cut anywhere. The options are those of `grep`: context
//! lines, inversion, a maximum number of matches. The search runs on sanitized text. Totals always
//! cover the whole text, even if only a part of it is shown.
//!
//! A call of the regex engine cannot be interrupted. So one call gets only as many bytes as the
//! pattern allows ([`Grep::turn`]), and longer lines are searched up to that length.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memrchr};
use schemars::JsonSchema;
use serde::Serialize;

mod braces;
mod line_rendering;
mod log_prefix;
mod match_collector;
mod pattern;
#[cfg(test)]
mod property_tests;
mod suspect_scanner;

pub use pattern::{BadPattern, Pattern};

use match_collector::{CollectedMatches, MatchCollector};
use suspect_scanner::SuspectScanner;

use crate::sanitize::{line_sanitizer::LineSanitizer, sanitize};

/// Options of a search.
#[derive(Debug, Clone)]
pub struct GrepOptions {
    /// Selects the lines that do not match.
    pub invert: bool,
    /// Removes the time and level of each task log line before the search.
    pub strip_prefixes: bool,
    /// Number of context lines to show before a match.
    pub before: usize,
    /// Number of context lines to show after a match.
    pub after: usize,
    /// Maximum number of matches to show.
    pub max_count: usize,
    /// Number of matches to skip.
    pub offset: u64,
    /// Approximate maximum size of the matches as JSON, in bytes. The first match is always shown.
    pub max_bytes: usize,
}

/// A matching line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// Line number, starting at 1.
    pub line_number: u64,
    /// Text of the line.
    pub line: String,
    /// Context lines before the match, without lines that another match already shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Vec<Line>>,
    /// Context lines after the match, up to the next match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Vec<Line>>,
}

/// A context line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Line number, starting at 1.
    pub line_number: u64,
    /// Text of the line.
    pub line: String,
}

/// Result of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrepResult {
    /// Number of lines in the whole text.
    pub total_lines: u64,
    /// Number of matches in the whole text.
    pub total_matches: u64,
    /// The shown matches.
    pub matches: Vec<Match>,
    /// Number of lines longer than `searched_line_bytes`; only their beginning was searched.
    pub long_lines: u64,
    /// Number of bytes of a line that are searched.
    pub searched_line_bytes: usize,
    /// Whether `\w`, `\d`, `\s` and `\b` matched ASCII only. See [`Pattern::is_ascii`].
    pub is_ascii: bool,
    /// Whether context lines were left out because the first match with them exceeded `max_bytes`.
    pub context_cut: bool,
}

/// A running search.
#[derive(Debug)]
pub struct Grep {
    pattern: Pattern,
    invert: bool,
    strip_prefixes: bool,
    window: MatchCollector,
    sanitizer: LineSanitizer,
    /// Beginning of a line whose end has not arrived yet.
    partial_line: Vec<u8>,
    lines: u64,
    long_lines: u64,
}

impl Grep {
    /// Starts a search.
    pub fn new(pattern: Pattern, options: GrepOptions) -> Self {
        Self {
            pattern,
            invert: options.invert,
            strip_prefixes: options.strip_prefixes,
            window: MatchCollector::new(options),
            sanitizer: LineSanitizer::default(),
            partial_line: Vec::new(),
            lines: 0,
            long_lines: 0,
        }
    }

    /// Returns the maximum number of bytes to push at once. A chunk of this size takes at most
    /// about 50 ms for any text and pattern.
    pub fn max_push_bytes(&self) -> usize {
        self.pattern.max_bytes_per_call()
    }

    /// Searches the next chunk of the text.
    pub fn push(&mut self, piece: &[u8]) {
        let Some(last) = memrchr(b'\n', piece) else { return self.buffer_partial_line(piece) };
        let (mut whole, rest) = piece.split_at(last + 1);
        if !self.partial_line.is_empty() {
            let (end, more) = split_first_line(whole);
            self.buffer_partial_line(end);
            let line = std::mem::take(&mut self.partial_line);
            self.search_line(&line, true);
            // Reuses the buffer for the next line.
            self.partial_line = line;
            self.partial_line.clear();
            whole = more;
        }
        self.search_lines(whole);
        self.buffer_partial_line(rest);
    }

    /// Ends the search. Text after the last line break counts as a line unless it is empty.
    pub fn finish(mut self) -> GrepResult {
        if !self.partial_line.is_empty() {
            let line = std::mem::take(&mut self.partial_line);
            self.search_line(&line, true);
        }
        let CollectedMatches { match_count: matched, matches, context_cut } = self.window.finish();
        GrepResult {
            total_lines: self.lines,
            total_matches: matched,
            matches,
            long_lines: self.long_lines,
            searched_line_bytes: self.pattern.max_bytes_per_call(),
            is_ascii: self.pattern.is_ascii(),
            context_cut,
        }
    }

    /// Buffers a part of a line up to the searched length, plus one byte that shows that it is
    /// longer.
    fn buffer_partial_line(&mut self, part: &[u8]) {
        let left = (self.pattern.max_bytes_per_call() + 2).saturating_sub(self.partial_line.len());
        self.partial_line.extend_from_slice(part.get(..left).unwrap_or(part));
    }

    /// Searches whole lines and sanitizes those that the sanitizer may change.
    fn search_lines(&mut self, mut lines: &[u8]) {
        let mut suspect = SuspectScanner::default();
        while !lines.is_empty() {
            let place = match suspect.next_position(lines) {
                _ if self.sanitizer.has_context() => 0,
                place => place.unwrap_or(lines.len()),
            };
            let start = match lines.get(..place) {
                Some(before) if place < lines.len() => {
                    memrchr(b'\n', before).map_or(0, |end| end + 1)
                }
                _ => lines.len(),
            };
            let (plain, rest) = lines.split_at(start);
            self.search_plain_lines(plain);
            let (line, after) = split_first_line(rest);
            if !line.is_empty() {
                self.search_line(line, true);
            }
            suspect.advance(lines.len() - after.len());
            lines = after;
        }
    }

    /// Searches whole lines that the sanitizer does not change. If none of them can match, they are
    /// only counted.
    fn search_plain_lines(&mut self, mut lines: &[u8]) {
        let skips = !self.invert && !self.strip_prefixes && !self.may_match_any(lines);
        if skips {
            let (first, last) = self.window.context_lines_needed();
            for _ in 0..first {
                lines = self.search_first_line(lines);
            }
            let place = start_of_last(lines, last);
            let (skipped, kept) = lines.split_at(place);
            self.lines += memchr_iter(b'\n', skipped).count() as u64;
            lines = kept;
        }
        while !lines.is_empty() {
            lines = self.search_first_line(lines);
        }
    }

    /// Returns whether the pattern may match in one of these whole lines. A chunk longer than the
    /// limit for one engine call is searched line by line instead, so the result is `true`.
    fn may_match_any(&self, lines: &[u8]) -> bool {
        lines.len() > self.pattern.max_bytes_per_call() || self.pattern.may_match_any(lines)
    }

    /// Searches the first line and returns the remaining ones.
    fn search_first_line<'a>(&mut self, lines: &'a [u8]) -> &'a [u8] {
        let (line, rest) = split_first_line(lines);
        if !line.is_empty() {
            self.search_line(line, false);
        }
        rest
    }

    fn without_log_prefix<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        if self.strip_prefixes { log_prefix::strip_log_prefix(line) } else { line }
    }

    /// Searches one line, given with its end. The search runs on the sanitized line, so that nobody
    /// can discover a secret by guessing patterns.
    fn search_line(&mut self, line: &[u8], may_change: bool) {
        self.lines += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let mut line = line.strip_suffix(b"\r").unwrap_or(line);
        let longest = self.pattern.max_bytes_per_call();
        if let Some(beginning) = line.get(..longest)
            && line.len() > longest
        {
            self.long_lines += 1;
            line = beginning;
        }
        let hidden = if may_change { self.sanitizer.redact_with_context(line) } else { None };
        line = hidden.as_ref().map_or(line, |hidden| hidden.as_bytes());
        let found = match may_change.then(|| sanitized_if_changed(line)).flatten() {
            Some(shown) => self.pattern.is_match(self.without_log_prefix(shown.as_bytes())),
            None => self.pattern.is_match(self.without_log_prefix(line)),
        };
        line = self.without_log_prefix(line);
        if found == self.invert {
            self.window.push_other(self.lines, line);
        } else {
            self.window.push_match(self.lines, line, found.then_some(&self.pattern));
        }
    }
}

/// Returns the sanitized line if it differs from the line.
fn sanitized_if_changed(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    match sanitize(&text).text {
        Cow::Owned(shown) => Some(shown),
        Cow::Borrowed(_) => None,
    }
}

/// Splits off the first line with its end.
fn split_first_line(lines: &[u8]) -> (&[u8], &[u8]) {
    lines.split_at(memchr(b'\n', lines).map_or(lines.len(), |place| place + 1))
}

/// Returns the position where the last `count` of some whole lines begin.
fn start_of_last(lines: &[u8], count: usize) -> usize {
    let mut start = lines.len();
    for _ in 0..count {
        // The last byte before `start` is the end of the line that is searched for.
        let before = lines.get(..start.saturating_sub(1)).unwrap_or_default();
        start = memrchr(b'\n', before).map_or(0, |place| place + 1);
    }
    start
}

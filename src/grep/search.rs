//! The search: splits chunks into lines and searches each line.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memrchr};

use super::{
    log_prefix,
    match_collector::{CollectedMatches, MatchCollector},
    pattern::Pattern,
    result::{GrepOptions, GrepResult},
    suspect_scanner::SuspectScanner,
};
use crate::sanitize::{line_sanitizer::LineSanitizer, sanitize};

/// A running search.
#[derive(Debug)]
pub struct Grep {
    pattern: Pattern,
    invert: bool,
    strip_prefixes: bool,
    window: MatchCollector,
    sanitizer: LineSanitizer,
    /// Beginning of an incomplete line.
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

    /// Returns the maximum number of bytes to push at once. Searching a chunk of this size lasts
    /// at most about 50 ms for any text and pattern.
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

    /// Returns the size of the buffer for a line that arrives in parts.
    #[cfg(test)]
    pub(super) fn buffered_bytes(&self) -> usize {
        self.partial_line.capacity()
    }

    /// Ends the search. Text after the last line break is a line unless it is empty.
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

    /// Searches whole lines. Sanitizes a line only if the sanitizer may change it.
    fn search_lines(&mut self, mut lines: &[u8]) {
        let mut suspect = SuspectScanner::default();
        while !lines.is_empty() {
            let position = match suspect.next_position(lines) {
                _ if self.sanitizer.has_context() => 0,
                position => position.unwrap_or(lines.len()),
            };
            let start = match lines.get(..position) {
                Some(before) if position < lines.len() => {
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
            let position = start_of_last(lines, last);
            let (skipped, kept) = lines.split_at(position);
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

    /// Searches one line, including its end. The search runs on the sanitized line, so that guessed
    /// patterns cannot discover a secret.
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
    lines.split_at(memchr(b'\n', lines).map_or(lines.len(), |position| position + 1))
}

/// Returns the start of the last `count` of these complete lines.
fn start_of_last(lines: &[u8], count: usize) -> usize {
    let mut start = lines.len();
    for _ in 0..count {
        // The last byte before `start` is the end of the line that is searched for.
        let before = lines.get(..start.saturating_sub(1)).unwrap_or_default();
        start = memrchr(b'\n', before).map_or(0, |position| position + 1);
    }
    start
}

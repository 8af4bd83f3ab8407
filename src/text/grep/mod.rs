//! Looks for a pattern in the lines of a text of any size, in bounded memory.
//!
//! One call of the regular expression engine cannot be interrupted. So it gets only so many bytes as
//! the pattern allows ([`Grep::turn`]), and longer lines are searched up to there.
//!
//! The text comes in pieces, cut anywhere. What is asked for and how it is answered is that of
//! `grep`: context, inversion, a count at most. It is looked for in what has passed the door. The totals are those of the whole text, whatever
//! is shown of it.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memrchr};
use schemars::JsonSchema;
use serde::Serialize;

mod braces;
mod pattern;
mod prefix;
#[cfg(test)]
mod properties;
mod show;
mod suspect;
mod window;

pub use pattern::{BadPattern, Pattern};

use suspect::Suspect;
use window::{Shown, Window};

use crate::text::{self, lines::Lines};

/// What of the lines is shown.
#[derive(Debug, Clone)]
pub struct Options {
    /// Looks for the lines without the pattern.
    pub invert: bool,
    /// Takes time and level off each line of a task log first.
    pub strip_prefixes: bool,
    /// How many lines before a match are shown.
    pub before: usize,
    /// How many lines after a match are shown.
    pub after: usize,
    /// How many matches are shown at most.
    pub max_count: usize,
    /// How many matches are left out from the start.
    pub offset: u64,
    /// How many bytes the matches take as JSON, about. The first one is shown all the same.
    pub room: usize,
}

/// A line that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// Counted from 1.
    pub line_number: u64,
    /// What it says.
    pub line: String,
    /// Lines before it that are not shown elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Vec<Line>>,
    /// Lines after it, up to the next match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Vec<Line>>,
}

/// A line near one that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Counted from 1.
    pub line_number: u64,
    /// What it says.
    pub line: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The lines of the whole text.
    pub total_lines: u64,
    /// The matches in the whole text.
    pub total_matches: u64,
    /// The matches that are shown.
    pub matches: Vec<Match>,
    /// Lines that are longer than `longest_line`, of which only the beginning was searched.
    pub long_lines: u64,
    /// How many bytes of a line were searched.
    pub longest_line: usize,
    /// Whether `\w`, `\d`, `\s` and `\b` matched ASCII alone. See [`Pattern::is_ascii`].
    pub is_ascii: bool,
    /// Whether the first match alone was too much with all that stands around it.
    pub context_cut: bool,
}

/// A search under way.
#[derive(Debug)]
pub struct Grep {
    pattern: Pattern,
    invert: bool,
    strip_prefixes: bool,
    window: Window,
    before: Lines,
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
    lines: u64,
    long_lines: u64,
}

impl Grep {
    /// Begins a search.
    pub fn new(pattern: Pattern, options: Options) -> Self {
        Self {
            pattern,
            invert: options.invert,
            strip_prefixes: options.strip_prefixes,
            window: Window::new(options),
            before: Lines::default(),
            rest: Vec::new(),
            lines: 0,
            long_lines: 0,
        }
    }

    /// Returns how many bytes the caller should push at once: so many take about 50 ms at most,
    /// whatever the text and the pattern.
    pub fn turn(&self) -> usize {
        self.pattern.span()
    }

    /// Takes the next piece of the text.
    pub fn push(&mut self, piece: &[u8]) {
        let Some(last) = memrchr(b'\n', piece) else { return self.keep(piece) };
        let (mut whole, rest) = piece.split_at(last + 1);
        if !self.rest.is_empty() {
            let (end, more) = first_line(whole);
            self.keep(end);
            let line = std::mem::take(&mut self.rest);
            self.line(&line, true);
            // The memory of the line is used again for the next.
            self.rest = line;
            self.rest.clear();
            whole = more;
        }
        self.whole_lines(whole);
        self.keep(rest);
    }

    /// Ends the search. What comes after the last line break is a line where it is anything.
    pub fn finish(mut self) -> Found {
        if !self.rest.is_empty() {
            let line = std::mem::take(&mut self.rest);
            self.line(&line, true);
        }
        let Shown { matched, matches, context_cut } = self.window.finish();
        Found {
            total_lines: self.lines,
            total_matches: matched,
            matches,
            long_lines: self.long_lines,
            longest_line: self.pattern.span(),
            is_ascii: self.pattern.is_ascii(),
            context_cut,
        }
    }

    /// Keeps a part of a line, as far as it is searched. One byte more says that there was more.
    fn keep(&mut self, part: &[u8]) {
        let left = (self.pattern.span() + 2).saturating_sub(self.rest.len());
        self.rest.extend_from_slice(part.get(..left).unwrap_or(part));
    }

    /// Takes whole lines: those that the door may change one by one.
    fn whole_lines(&mut self, mut lines: &[u8]) {
        let mut suspect = Suspect::default();
        while !lines.is_empty() {
            let place = match suspect.first(lines) {
                _ if self.before.go_on() => 0,
                place => place.unwrap_or(lines.len()),
            };
            let start = match lines.get(..place) {
                Some(before) if place < lines.len() => {
                    memrchr(b'\n', before).map_or(0, |end| end + 1)
                }
                _ => lines.len(),
            };
            let (plain, rest) = lines.split_at(start);
            self.plain_lines(plain);
            let (line, after) = first_line(rest);
            if !line.is_empty() {
                self.line(line, true);
            }
            suspect.skip(lines.len() - after.len());
            lines = after;
        }
    }

    /// Takes whole lines that the door does not change. Where the pattern is in none of them, they
    /// are only counted.
    fn plain_lines(&mut self, mut lines: &[u8]) {
        let skips = !self.invert && !self.strip_prefixes && !self.may_be_in(lines);
        if skips {
            let (first, last) = self.window.needs();
            for _ in 0..first {
                lines = self.one(lines);
            }
            let place = start_of_last(lines, last);
            let (skipped, kept) = lines.split_at(place);
            self.lines += memchr_iter(b'\n', skipped).count() as u64;
            lines = kept;
        }
        while !lines.is_empty() {
            lines = self.one(lines);
        }
    }

    /// Returns whether the pattern may be in one of these whole lines. A piece that is longer than
    /// one call of the engine may get is searched line by line instead.
    fn may_be_in(&self, lines: &[u8]) -> bool {
        lines.len() > self.pattern.span() || self.pattern.may_be_in(lines)
    }

    /// Takes the first of some lines, and gives the others.
    fn one<'a>(&mut self, lines: &'a [u8]) -> &'a [u8] {
        let (line, rest) = first_line(lines);
        if !line.is_empty() {
            self.line(line, false);
        }
        rest
    }

    fn stripped<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        if self.strip_prefixes { prefix::strip(line) } else { line }
    }

    /// Takes one line with its end. What is looked for is looked for in what would be shown of it:
    /// nobody finds out about a secret by searching for it.
    fn line(&mut self, line: &[u8], may_change: bool) {
        self.lines += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let mut line = line.strip_suffix(b"\r").unwrap_or(line);
        let longest = self.pattern.span();
        if let Some(beginning) = line.get(..longest)
            && line.len() > longest
        {
            self.long_lines += 1;
            line = beginning;
        }
        let hidden = if may_change { self.before.hide(line) } else { None };
        line = hidden.as_ref().map_or(line, |hidden| hidden.as_bytes());
        let found = match may_change.then(|| changed(line)).flatten() {
            Some(shown) => self.pattern.is_in(self.stripped(shown.as_bytes())),
            None => self.pattern.is_in(self.stripped(line)),
        };
        line = self.stripped(line);
        if found == self.invert {
            self.window.other(self.lines, line);
        } else {
            self.window.matching(self.lines, line, found.then_some(&self.pattern));
        }
    }
}

/// What the door makes of a line, where that is anything else.
fn changed(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    match text::door(&text).text {
        Cow::Owned(shown) => Some(shown),
        Cow::Borrowed(_) => None,
    }
}

/// The first line with its end, and the others.
fn first_line(lines: &[u8]) -> (&[u8], &[u8]) {
    lines.split_at(memchr(b'\n', lines).map_or(lines.len(), |place| place + 1))
}

/// Where the last `count` of some whole lines begin.
fn start_of_last(lines: &[u8], count: usize) -> usize {
    let mut start = lines.len();
    for _ in 0..count {
        // The last byte before `start` ends the line that is looked for.
        let before = lines.get(..start.saturating_sub(1)).unwrap_or_default();
        start = memrchr(b'\n', before).map_or(0, |place| place + 1);
    }
    start
}

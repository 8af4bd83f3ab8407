//! Looks for a pattern in the lines of a text of any size, in bounded memory.
//!
//! The text comes in pieces, cut anywhere. What is asked for and how it is answered is that of
//! `grep`: context, inversion, a count at most. The totals are those of the whole text, whatever
//! is shown of it.

use memchr::{memchr, memchr_iter, memrchr};
use schemars::JsonSchema;
use serde::Serialize;

mod keys;
mod pattern;
mod prefix;
#[cfg(test)]
mod properties;
mod show;
mod window;

pub use pattern::{BadPattern, Pattern};

use keys::Keys;
use window::{Shown, Window};

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
    /// Lines that are longer than [`LONGEST_LINE`], of which only the beginning was searched.
    pub long_lines: u64,
    /// Whether the first match alone was too much with all that stands around it.
    pub context_cut: bool,
}

/// How much of a line is searched, and how much of one is in memory.
pub const LONGEST_LINE: usize = 1024 * 1024;

/// A search under way.
#[derive(Debug)]
pub struct Grep {
    pattern: Pattern,
    invert: bool,
    strip_prefixes: bool,
    window: Window,
    keys: Keys,
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
            keys: Keys::default(),
            rest: Vec::new(),
            lines: 0,
            long_lines: 0,
        }
    }

    /// Takes the next piece of the text.
    pub fn push(&mut self, piece: &[u8]) {
        let Some(last) = memrchr(b'\n', piece) else { return self.keep(piece) };
        let (mut whole, rest) = piece.split_at(last + 1);
        if !self.rest.is_empty() {
            let (end, more) = first_line(whole);
            self.keep(end);
            let line = std::mem::take(&mut self.rest);
            self.line(&line);
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
            self.line(&line);
        }
        let Shown { matched, matches, context_cut } = self.window.finish();
        Found {
            total_lines: self.lines,
            total_matches: matched,
            matches,
            long_lines: self.long_lines,
            context_cut,
        }
    }

    /// Keeps a part of a line, as far as it is searched. One byte more says that there was more.
    fn keep(&mut self, part: &[u8]) {
        let left = (LONGEST_LINE + 2).saturating_sub(self.rest.len());
        self.rest.extend_from_slice(part.get(..left).unwrap_or(part));
    }

    /// Takes whole lines. Where the pattern is in none of them, they are only counted.
    fn whole_lines(&mut self, mut lines: &[u8]) {
        let skips = !self.invert
            && !self.strip_prefixes
            && self.keys.are_absent(lines)
            && !self.pattern.may_be_in(lines);
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

    /// Takes the first of some lines, and gives the others.
    fn one<'a>(&mut self, lines: &'a [u8]) -> &'a [u8] {
        let (line, rest) = first_line(lines);
        if !line.is_empty() {
            self.line(line);
        }
        rest
    }

    /// Takes one line with its end.
    fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let mut line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(beginning) = line.get(..LONGEST_LINE)
            && line.len() > LONGEST_LINE
        {
            self.long_lines += 1;
            line = beginning;
        }
        if self.keys.hide(line) {
            line = keys::HIDDEN;
        }
        if self.strip_prefixes {
            line = prefix::strip(line);
        }
        let found = self.pattern.is_in(line);
        if found == self.invert {
            self.window.other(self.lines, line);
        } else {
            self.window.matching(self.lines, line, found.then_some(&self.pattern));
        }
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

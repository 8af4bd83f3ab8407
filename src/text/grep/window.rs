//! Collects matches with their context lines, within a size limit.

use std::collections::VecDeque;

use super::{Line, Match, Options, Pattern, show};

/// Collects matches and their context lines. Each line is shown once: the lines after a match
/// belong to it up to the next match, and the remaining ones to the lines before that match. So the
/// pages of a search joined together equal one page with all matches.
#[derive(Debug)]
pub(super) struct Window {
    options: Options,
    longest: usize,
    /// Number of matching lines, shown or not.
    matched: u64,
    shown: Vec<Match>,
    spent: usize,
    /// The last lines that belong to no match so far.
    before: VecDeque<(u64, Vec<u8>)>,
    /// Number of following lines that still belong to the last match.
    after: usize,
    /// Whether the last match is shown.
    is_open: bool,
    is_full: bool,
    context_cut: bool,
}

/// Result of the collection.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) matched: u64,
    pub(super) matches: Vec<Match>,
    pub(super) context_cut: bool,
}

/// Number of bytes that are buffered of a possible context line. The sanitizer needs more than the
/// part that is shown, because the line is truncated after sanitizing.
const KEPT: usize = 4 * show::LONGEST;
/// JSON overhead of a line or match around its text, in bytes.
const FRAME: usize = 48;

impl Window {
    pub(super) fn new(options: Options) -> Self {
        Self {
            longest: show::LONGEST.min(options.room.max(256)),
            options,
            matched: 0,
            shown: Vec::new(),
            spent: 0,
            before: VecDeque::new(),
            after: 0,
            is_open: false,
            is_full: false,
            context_cut: false,
        }
    }

    /// Returns how many of the next non-matching lines must be passed one by one: the first and the
    /// last so many.
    pub(super) fn needs(&self) -> (usize, usize) {
        (self.after, if self.wants_next() { self.options.before } else { 0 })
    }

    fn wants_next(&self) -> bool {
        !self.is_full
            && self.matched >= self.options.offset
            && self.shown.len() < self.options.max_count
    }

    /// Adds a line that the search selects.
    pub(super) fn matching(&mut self, number: u64, line: &[u8], found: Option<&Pattern>) {
        self.is_open = self.wants_next();
        self.matched += 1;
        self.after = self.options.after;
        let before = std::mem::take(&mut self.before);
        if !self.is_open {
            return;
        }
        let line = show::show(line, found, self.longest);
        let mut spent = self.spent + FRAME + show::size(&line);
        let mut context = VecDeque::new();
        for (number, line) in before.into_iter().rev() {
            let line = show::show(&line, None, self.longest);
            let size = FRAME + show::size(&line);
            if spent + size > self.options.room && self.shown.is_empty() {
                self.context_cut = true;
                break;
            }
            spent += size;
            context.push_front(Line { line_number: number, line });
        }
        if spent > self.options.room && !self.shown.is_empty() {
            self.close();
            return;
        }
        self.spent = spent;
        self.shown.push(Match {
            line_number: number,
            line,
            before: (self.options.before > 0).then(|| context.into()),
            after: (self.options.after > 0).then(Vec::new),
        });
    }

    /// Adds a line that the search does not select.
    pub(super) fn other(&mut self, number: u64, line: &[u8]) {
        if self.after > 0 {
            self.after -= 1;
            if self.is_open {
                self.following(number, line);
            }
        } else if self.options.before > 0 && self.wants_next() {
            if self.before.len() == self.options.before {
                self.before.pop_front();
            }
            let kept = line.get(..KEPT).unwrap_or(line);
            self.before.push_back((number, kept.to_owned()));
        }
    }

    /// Adds a line to the last match, or drops both if they do not fit. The first match stays
    /// without the line.
    fn following(&mut self, number: u64, line: &[u8]) {
        let kept = line.get(..KEPT).unwrap_or(line);
        let line = show::show(kept, None, self.longest);
        let size = FRAME + show::size(&line);
        if self.spent + size <= self.options.room {
            self.spent += size;
            if let Some(after) = self.shown.last_mut().and_then(|last| last.after.as_mut()) {
                after.push(Line { line_number: number, line });
            }
        } else if self.shown.len() > 1 {
            self.shown.pop();
            self.close();
        } else {
            self.context_cut = true;
            self.is_open = false;
        }
    }

    fn close(&mut self) {
        self.is_full = true;
        self.is_open = false;
    }

    pub(super) fn finish(self) -> Shown {
        Shown { matched: self.matched, matches: self.shown, context_cut: self.context_cut }
    }
}

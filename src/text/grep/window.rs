//! The matches that are shown, with the lines around them, within their room.

use std::collections::VecDeque;

use super::{Line, Match, Options, Pattern, show};

/// Collects matches and the lines around them. A line is shown once: what comes after a match
/// belongs to it up to the next match, and what is left stands before that one. So the pages of a
/// search, one after another, are what one page of all matches would be.
#[derive(Debug)]
pub(super) struct Window {
    options: Options,
    longest: usize,
    /// How many lines matched, shown or not.
    matched: u64,
    shown: Vec<Match>,
    spent: usize,
    /// The last lines that belong to no match so far.
    before: VecDeque<(u64, Vec<u8>)>,
    /// How many lines still belong to the last match.
    after: usize,
    /// Whether the last match is shown.
    is_open: bool,
    is_full: bool,
    context_cut: bool,
}

/// What the window shows in the end.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) matched: u64,
    pub(super) matches: Vec<Match>,
    pub(super) context_cut: bool,
}

/// How much of a line is kept before it is known whether it is shown: enough to cut it after the
/// door.
const KEPT: usize = 4 * show::LONGEST;
/// What stands around the text of a line and of a match, as JSON.
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

    /// How many lines that do not match have to be given one by one from here on: the first so
    /// many, and the last so many.
    pub(super) fn needs(&self) -> (usize, usize) {
        (self.after, if self.wants_next() { self.options.before } else { 0 })
    }

    fn wants_next(&self) -> bool {
        !self.is_full
            && self.matched >= self.options.offset
            && self.shown.len() < self.options.max_count
    }

    /// Takes a line that is looked for.
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

    /// Takes a line that is not looked for.
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

    /// Adds a line to the last match, or drops both where they do not fit together. The first
    /// match stays without it.
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

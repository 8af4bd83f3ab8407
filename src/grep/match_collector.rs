//! Collects matches with their context lines, within a size limit.

use std::collections::VecDeque;

use super::{
    line_rendering,
    pattern::Pattern,
    result::{GrepOptions, Line, Match},
};

/// Collects matches and their context lines. Each line is shown once: the lines after a match
/// belong to it up to the next match, and the remaining lines to the context of that match. So the
/// pages of a search joined together equal one page with all matches.
#[derive(Debug)]
pub(super) struct MatchCollector {
    options: GrepOptions,
    max_line_bytes: usize,
    /// Number of matching lines, shown or not.
    match_count: u64,
    matches: Vec<Match>,
    used_bytes: usize,
    /// The last lines that belong to no match so far.
    before: VecDeque<(u64, Vec<u8>)>,
    /// Number of following lines that still belong to the last match.
    after_left: usize,
    /// Whether the last match is shown.
    last_match_is_shown: bool,
    is_full: bool,
    context_cut: bool,
}

/// Result of the collection.
#[derive(Debug)]
pub(super) struct CollectedMatches {
    pub(super) match_count: u64,
    pub(super) matches: Vec<Match>,
    pub(super) context_cut: bool,
}

/// Number of buffered bytes of a possible context line. The sanitizer needs more than the
/// part that is shown, because the line is truncated after sanitizing.
const MAX_BUFFERED_LINE_BYTES: usize = 4 * line_rendering::MAX_LINE_BYTES;
/// JSON overhead of a line or match around its text, in bytes.
const JSON_OVERHEAD_BYTES: usize = 48;

impl MatchCollector {
    pub(super) fn new(options: GrepOptions) -> Self {
        Self {
            max_line_bytes: line_rendering::MAX_LINE_BYTES.min(options.max_bytes.max(256)),
            options,
            match_count: 0,
            matches: Vec::new(),
            used_bytes: 0,
            before: VecDeque::new(),
            after_left: 0,
            last_match_is_shown: false,
            is_full: false,
            context_cut: false,
        }
    }

    /// Returns the number of non-matching lines that must be passed one by one, at the start and at
    /// the end of the next lines.
    pub(super) fn context_lines_needed(&self) -> (usize, usize) {
        (self.after_left, if self.shows_next_match() { self.options.before } else { 0 })
    }

    fn shows_next_match(&self) -> bool {
        !self.is_full
            && self.match_count >= self.options.offset
            && self.matches.len() < self.options.max_count
    }

    /// Adds a line that the search selects.
    pub(super) fn push_match(&mut self, number: u64, line: &[u8], found: Option<&Pattern>) {
        self.last_match_is_shown = self.shows_next_match();
        self.match_count += 1;
        self.after_left = self.options.after;
        let before = std::mem::take(&mut self.before);
        if !self.last_match_is_shown {
            return;
        }
        let line = line_rendering::render_line(line, found, self.max_line_bytes);
        let mut spent = self.used_bytes + JSON_OVERHEAD_BYTES + line_rendering::json_size(&line);
        let mut context = VecDeque::new();
        for (number, line) in before.into_iter().rev() {
            let line = line_rendering::render_line(&line, None, self.max_line_bytes);
            let size = JSON_OVERHEAD_BYTES + line_rendering::json_size(&line);
            if spent + size > self.options.max_bytes && self.matches.is_empty() {
                self.context_cut = true;
                break;
            }
            spent += size;
            context.push_front(Line { line_number: number, line });
        }
        if spent > self.options.max_bytes && !self.matches.is_empty() {
            self.close();
            return;
        }
        self.used_bytes = spent;
        self.matches.push(Match {
            line_number: number,
            line,
            before: (self.options.before > 0).then(|| context.into()),
            after: (self.options.after > 0).then(Vec::new),
        });
    }

    /// Adds a line that the search does not select.
    pub(super) fn push_other(&mut self, number: u64, line: &[u8]) {
        if self.after_left > 0 {
            self.after_left -= 1;
            if self.last_match_is_shown {
                self.push_after_match(number, line);
            }
        } else if self.options.before > 0 && self.shows_next_match() {
            if self.before.len() == self.options.before {
                self.before.pop_front();
            }
            let kept = line.get(..MAX_BUFFERED_LINE_BYTES).unwrap_or(line);
            self.before.push_back((number, kept.to_owned()));
        }
    }

    /// Adds a line to the last match, or drops both if they do not fit. The first match stays
    /// without the line.
    fn push_after_match(&mut self, number: u64, line: &[u8]) {
        let kept = line.get(..MAX_BUFFERED_LINE_BYTES).unwrap_or(line);
        let line = line_rendering::render_line(kept, None, self.max_line_bytes);
        let size = JSON_OVERHEAD_BYTES + line_rendering::json_size(&line);
        if self.used_bytes + size <= self.options.max_bytes {
            self.used_bytes += size;
            if let Some(after) = self.matches.last_mut().and_then(|last| last.after.as_mut()) {
                after.push(Line { line_number: number, line });
            }
        } else if self.matches.len() > 1 {
            self.matches.pop();
            self.close();
        } else {
            self.context_cut = true;
            self.last_match_is_shown = false;
        }
    }

    fn close(&mut self) {
        self.is_full = true;
        self.last_match_is_shown = false;
    }

    pub(super) fn finish(self) -> CollectedMatches {
        CollectedMatches {
            match_count: self.match_count,
            matches: self.matches,
            context_cut: self.context_cut,
        }
    }
}

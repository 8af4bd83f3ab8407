//! Splits the chunks of a log into lines, and keeps the lines of the requested range.

use std::collections::VecDeque;

use bytes::Bytes;

use super::log::{LogPart, LogRange, ProblemCounts};
use crate::{
    compute::{Budget, ComputeError},
    sanitize::{line_sanitizer::LineSanitizer, sanitize},
    text::{log_line::LogLine, step_counter, truncate},
};

/// Maximum bytes of a line; longer lines are shortened.
pub(super) const MAX_LINE_BYTES: usize = 4 * 1024;
/// Maximum bytes of a line that are buffered before it is sanitized and shortened.
const MAX_BUFFERED_BYTES: usize = 4 * MAX_LINE_BYTES;
/// Number of bytes between two checks of the compute budget.
const BYTES_PER_CHECK: usize = 64 * 1024;

/// Splits chunks into lines and keeps the lines of the requested range.
pub(super) struct LogReader {
    range: LogRange,
    only_problems: bool,
    max_bytes: usize,
    /// The beginning of a line whose end was not received yet.
    partial_line: Vec<u8>,
    pub(super) bytes: u64,
    lines: u64,
    kept_lines: VecDeque<(u64, String)>,
    kept_bytes: usize,
    problems: ProblemCounts,
    dropped_before: bool,
    secret_context: LineSanitizer,
}

impl LogReader {
    pub(super) fn new(range: LogRange, only_problems: bool, max_bytes: usize) -> Self {
        Self {
            range,
            only_problems,
            max_bytes,
            partial_line: Vec::new(),
            bytes: 0,
            lines: 0,
            kept_lines: VecDeque::new(),
            kept_bytes: 0,
            problems: ProblemCounts::default(),
            dropped_before: false,
            secret_context: LineSanitizer::default(),
        }
    }

    /// Reads chunks until the time slice of the job ends.
    ///
    /// Returns the remaining chunks, and whether lines after them are in the range.
    pub(super) fn push_all(
        mut self,
        mut chunks: VecDeque<Bytes>,
        budget: &Budget,
    ) -> Result<(Self, VecDeque<Bytes>, bool), ComputeError> {
        while let Some(mut chunk) = chunks.pop_front() {
            budget.check()?;
            if !self.push(&chunk.split_to(BYTES_PER_CHECK.min(chunk.len()))) {
                return Ok((self, chunks, false));
            }
            if !chunk.is_empty() {
                chunks.push_front(chunk);
            }
            if budget.is_time_slice_over() {
                break;
            }
        }
        Ok((self, chunks, true))
    }

    /// Reads a chunk. Returns `false` if no later line is in the range.
    fn push(&mut self, chunk: &[u8]) -> bool {
        self.bytes += chunk.len() as u64;
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            // Bytes past the maximum of a line are dropped at once.
            let capacity = (MAX_BUFFERED_BYTES + 2).saturating_sub(self.partial_line.len());
            self.partial_line
                .extend_from_slice(part.get(..capacity.min(part.len())).unwrap_or_default());
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.partial_line);
                if !self.push_line(&line) {
                    return false;
                }
            }
        }
        true
    }

    /// Reads a complete line. Returns `false` if no later line is in the range.
    fn push_line(&mut self, line: &[u8]) -> bool {
        let number = self.lines + 1;
        if matches!(self.range, LogRange::Before(end) if number >= end) {
            return false;
        }
        self.lines = number;
        let line = String::from_utf8_lossy(line);
        let mut line = line.trim_end_matches(['\n', '\r']);
        // The range can start inside a private key, or between a name and its value.
        let hidden = self.secret_context.redact_with_context(line.as_bytes());
        line = hidden.as_deref().unwrap_or(line);
        let is_problem = self.problems.add(&LogLine::parse(line));
        if matches!(self.range, LogRange::From(start) if number < start) {
            self.dropped_before = true;
            return true;
        }
        if self.only_problems && !is_problem {
            return true;
        }
        let mut shown = String::new();
        if self.only_problems {
            shown = format!("{number}: ");
        }
        if line.len() > MAX_LINE_BYTES {
            // Secrets are detected only in complete texts, so redact before shortening.
            shown.push_str(truncate::head(&sanitize(line).text, MAX_LINE_BYTES));
            shown.push_str(" ...");
        } else {
            shown.push_str(line);
        }
        let size = json_size(&shown);
        if matches!(self.range, LogRange::From(_))
            && self.kept_bytes + size > self.max_bytes
            && !self.kept_lines.is_empty()
        {
            self.lines -= 1;
            return false;
        }
        self.kept_bytes += size;
        self.kept_lines.push_back((number, shown));
        while self.kept_bytes > self.max_bytes && self.kept_lines.len() > 1 {
            if let Some((_, dropped)) = self.kept_lines.pop_front() {
                self.kept_bytes -= json_size(&dropped);
                self.dropped_before = true;
            }
        }
        true
    }

    pub(super) fn finish(mut self, whole: bool) -> LogPart {
        let mut whole = whole;
        if whole && !self.partial_line.is_empty() {
            let line = std::mem::take(&mut self.partial_line);
            whole = self.push_line(&line);
        }
        let dropped_after = self.shrink();
        LogPart {
            text: self.text(0, self.kept_lines.len()),
            first: self.kept_lines.front().map(|(number, _)| *number),
            last: self.kept_lines.back().map(|(number, _)| *number),
            total_lines: whole.then_some(self.lines),
            total_bytes: whole.then_some(self.bytes),
            problems: self.problems,
            more_before: self.dropped_before,
            more_after: !whole || dropped_after,
        }
    }

    fn text(&self, skipped: usize, lines: usize) -> String {
        let lines = self.kept_lines.iter().skip(skipped).take(lines);
        lines.map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Drops lines until the redacted text fits, because a placeholder can be longer than its
    /// secret.
    ///
    /// Returns whether lines at the end were dropped. Each attempt redacts the text again, so a
    /// binary search limits the number of attempts.
    fn shrink(&mut self) -> bool {
        let all = self.kept_lines.len();
        if all <= 1 || self.fits(all) {
            return false;
        }
        let (mut fitting_lines, mut too_many) = (1, all);
        while too_many - fitting_lines > 1 {
            let middle = fitting_lines + (too_many - fitting_lines) / 2;
            if self.fits(middle) { fitting_lines = middle } else { too_many = middle }
        }
        let is_end = matches!(self.range, LogRange::Before(_));
        self.dropped_before |= is_end;
        self.kept_lines.drain(if is_end { 0..all - fitting_lines } else { fitting_lines..all });
        !is_end
    }

    /// Returns whether this number of lines fits after redaction.
    fn fits(&self, lines: usize) -> bool {
        let is_end = matches!(self.range, LogRange::Before(_));
        let text = self.text(if is_end { self.kept_lines.len() - lines } else { 0 }, lines);
        step_counter::add(text.len());
        json_size(&sanitize(&text).text) <= self.max_bytes
    }
}

/// Returns the size of a line and its line break in JSON.
pub(super) fn json_size(line: &str) -> usize {
    truncate::json_len(line) + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_lines_that_redaction_enlarged_in_few_attempts() {
        let max_bytes = 40_000;
        // Blank lines are small; redaction makes the few long lines larger.
        let log = "\n".repeat(14_000) + &("pwd=abcd1 ".repeat(400) + "\n").repeat(3);
        for range in [LogRange::Before(u64::MAX), LogRange::From(1)] {
            let read = || {
                let mut reader = LogReader::new(range, false, max_bytes);
                let continues = reader.push(log.as_bytes());
                reader.finish(continues)
            };
            let (part, steps) = step_counter::count(read);
            assert!(
                json_size(&sanitize(&part.text).text) <= max_bytes
                    && part.text.len() > max_bytes / 4
            );
            assert!(
                steps <= 20 * max_bytes,
                "{steps} bytes were redacted for a part of {max_bytes}"
            );
        }
    }
}

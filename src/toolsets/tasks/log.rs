//! Reads a part of a log of any size in bounded memory.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::{
    octopus::Error,
    text::{self, cut, lines::Lines, log_line::LogLine, steps},
    tool::Progress,
};

/// Which part of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// As much as fits before this line.
    Before(u64),
    /// As much as fits from this line on.
    From(u64),
}

/// A part of a log. Lines count from 1.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
    /// Only where the log was read to its end.
    pub(super) total_lines: Option<u64>,
    pub(super) total_bytes: Option<u64>,
    /// Errors, warnings and failed steps among the lines that were read.
    pub(super) problems: u64,
    pub(super) more_before: bool,
    pub(super) more_after: bool,
}

/// A line that is longer is cut.
const LONGEST_LINE: usize = 4 * 1024;
/// How much of a line is kept before it passes the door and is cut.
const KEPT: usize = 4 * LONGEST_LINE;
/// How often progress is told.
const TELL_EVERY: u64 = 1024 * 1024;

/// Reads the part that is wanted, of at most `room` bytes as JSON, and one line at least.
pub(super) async fn read(
    mut pieces: impl Stream<Item = Result<Bytes, Error>> + Unpin,
    wanted: Wanted,
    only_problems: bool,
    room: usize,
    progress: &Progress,
) -> Result<Part, Error> {
    let mut reader = Reader::new(wanted, only_problems, room);
    let mut told = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        if !reader.take(&piece) {
            return Ok(reader.finish(false));
        }
        // What is unpacked comes without waiting; other calls have their turn.
        tokio::task::yield_now().await;
        if reader.bytes - told >= TELL_EVERY {
            told = reader.bytes;
            progress.report(told, || format!("{} MiB of the log read", told / TELL_EVERY));
        }
    }
    Ok(reader.finish(true))
}

/// Splits pieces into lines and keeps those that are wanted.
struct Reader {
    wanted: Wanted,
    only_problems: bool,
    room: usize,
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
    bytes: u64,
    lines: u64,
    kept: VecDeque<(u64, String)>,
    kept_bytes: usize,
    problems: u64,
    dropped_before: bool,
    before: Lines,
}

impl Reader {
    fn new(wanted: Wanted, only_problems: bool, room: usize) -> Self {
        Self {
            wanted,
            only_problems,
            room,
            rest: Vec::new(),
            bytes: 0,
            lines: 0,
            kept: VecDeque::new(),
            kept_bytes: 0,
            problems: 0,
            dropped_before: false,
            before: Lines::default(),
        }
    }

    /// Takes a piece. `false`: nothing that comes after is wanted.
    fn take(&mut self, piece: &[u8]) -> bool {
        self.bytes += piece.len() as u64;
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            // What a line has past its longest is dropped as it comes.
            let left = (KEPT + 2).saturating_sub(self.rest.len());
            self.rest.extend_from_slice(part.get(..left.min(part.len())).unwrap_or_default());
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.rest);
                if !self.line(&line) {
                    return false;
                }
            }
        }
        true
    }

    /// Takes a whole line. `false`: nothing that comes after is wanted.
    fn line(&mut self, line: &[u8]) -> bool {
        let number = self.lines + 1;
        if matches!(self.wanted, Wanted::Before(end) if number >= end) {
            return false;
        }
        self.lines = number;
        let line = String::from_utf8_lossy(line);
        let mut line = line.trim_end_matches(['\n', '\r']);
        // What is shown can begin inside of a private key, or between a name and its value.
        let hidden = self.before.hide(line.as_bytes());
        line = hidden.as_deref().unwrap_or(line);
        let is_problem = LogLine::read(line).is_problem();
        self.problems += u64::from(is_problem);
        if matches!(self.wanted, Wanted::From(start) if number < start) {
            self.dropped_before = true;
            return true;
        }
        if self.only_problems && !is_problem {
            return true;
        }
        let mut shown = if self.only_problems { format!("{number}: ") } else { String::new() };
        if line.len() > LONGEST_LINE {
            // Half a secret is hard to recognise.
            shown.push_str(cut::head(&text::door(line).text, LONGEST_LINE));
            shown.push_str(" ...");
        } else {
            shown.push_str(line);
        }
        let size = size(&shown);
        if matches!(self.wanted, Wanted::From(_))
            && self.kept_bytes + size > self.room
            && !self.kept.is_empty()
        {
            self.lines -= 1;
            return false;
        }
        self.kept_bytes += size;
        self.kept.push_back((number, shown));
        while self.kept_bytes > self.room && self.kept.len() > 1 {
            if let Some((_, dropped)) = self.kept.pop_front() {
                self.kept_bytes -= self::size(&dropped);
                self.dropped_before = true;
            }
        }
        true
    }

    fn finish(mut self, whole: bool) -> Part {
        let mut whole = whole;
        if whole && !self.rest.is_empty() {
            let line = std::mem::take(&mut self.rest);
            whole = self.line(&line);
        }
        let dropped_after = self.shrink();
        Part {
            text: self.text(0, self.kept.len()),
            first: self.kept.front().map(|(number, _)| *number),
            last: self.kept.back().map(|(number, _)| *number),
            total_lines: whole.then_some(self.lines),
            total_bytes: whole.then_some(self.bytes),
            problems: self.problems,
            more_before: self.dropped_before,
            more_after: !whole || dropped_after,
        }
    }

    fn text(&self, skipped: usize, lines: usize) -> String {
        let lines = self.kept.iter().skip(skipped).take(lines);
        lines.map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Drops lines until the redacted text fits: what stands in place of a secret can be longer
    /// than the secret. Returns whether the last lines were dropped. Each attempt redacts anew, so
    /// there are no more than the number of lines has bits.
    fn shrink(&mut self) -> bool {
        let all = self.kept.len();
        if all <= 1 || self.fits(all) {
            return false;
        }
        let (mut fitting, mut too_many) = (1, all);
        while too_many - fitting > 1 {
            let middle = fitting + (too_many - fitting) / 2;
            if self.fits(middle) { fitting = middle } else { too_many = middle }
        }
        let is_end = matches!(self.wanted, Wanted::Before(_));
        self.dropped_before |= is_end;
        self.kept.drain(if is_end { 0..all - fitting } else { fitting..all });
        !is_end
    }

    /// Whether so many lines fit after redaction, from the end that is kept.
    fn fits(&self, lines: usize) -> bool {
        let is_end = matches!(self.wanted, Wanted::Before(_));
        let text = self.text(if is_end { self.kept.len() - lines } else { 0 }, lines);
        steps::add(text.len());
        size(&text::door(&text).text) <= self.room
    }
}

/// How many bytes a line and its end take as JSON.
fn size(line: &str) -> usize {
    cut::json_len(line) + 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(log: &[u8], pieces: usize, wanted: Wanted, room: usize) -> Part {
        let pieces: Vec<_> =
            log.chunks(pieces.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let progress = Progress::default();
        let read = read(futures::stream::iter(pieces), wanted, false, room, &progress);
        futures::executor::block_on(read).unwrap()
    }

    #[test]
    fn the_end_comes_first() {
        let log: String = (1..=1000).fold(String::new(), |log, n| log + &format!("line {n}\r\n"));
        let part = read_all(log.as_bytes(), 7, Wanted::Before(u64::MAX), 100);
        assert_eq!(part.last, Some(1000));
        assert_eq!(part.total_lines, Some(1000));
        assert!(part.text.ends_with("line 1000") && part.text.len() <= 100);
        assert!(part.more_before && !part.more_after);
    }

    #[test]
    fn a_line_without_end_does_not_fill_memory() {
        let part = read_all(&vec![b'x'; 300_000], 1000, Wanted::Before(u64::MAX), 100_000);
        assert_eq!((part.text.len(), part.total_lines), (LONGEST_LINE + 4, Some(1)));
        assert!(part.text.ends_with("x ..."));
        assert_eq!(part.total_bytes, Some(300_000));
    }

    #[test]
    fn lines_that_grow_by_redaction_are_dropped_in_few_attempts() {
        let room = 40_000;
        // Blank lines take little room, and what grows stands in a few long ones.
        let log = "\n".repeat(14_000) + &("pwd=abcd1 ".repeat(400) + "\n").repeat(3);
        for wanted in [Wanted::Before(u64::MAX), Wanted::From(1)] {
            let (part, steps) = steps::of(|| read_all(log.as_bytes(), 9000, wanted, room));
            assert!(size(&text::door(&part.text).text) <= room && part.text.len() > room / 4);
            assert!(steps <= 20 * room, "{steps} bytes were redacted for a part of {room}");
        }
    }

    proptest! {
        #[test]
        fn going_back_or_forward_visits_every_line_once(
            lines in prop::collection::vec("[a-z ]{0,30}", 1..60),
            pieces in 1usize..50,
            room in 40usize..200,
        ) {
            let log = lines.join("\n") + "\n";
            let mut back: Vec<String> = Vec::new();
            let mut end = u64::MAX;
            loop {
                let part = read_all(log.as_bytes(), pieces, Wanted::Before(end), room);
                let text = part.text.split('\n').map(str::to_owned);
                back.splice(0..0, text);
                if !part.more_before { break }
                end = part.first.unwrap();
            }
            prop_assert_eq!(&back, &lines);

            let mut forth: Vec<String> = Vec::new();
            let mut start = 1;
            loop {
                let part = read_all(log.as_bytes(), pieces, Wanted::From(start), room);
                forth.extend(part.text.split('\n').map(str::to_owned));
                if !part.more_after { break }
                start = part.last.unwrap() + 1;
            }
            prop_assert_eq!(&forth, &lines);
        }
    }
}

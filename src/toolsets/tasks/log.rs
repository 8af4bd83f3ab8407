//! Reads a range of a log of any size in bounded memory.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use schemars::JsonSchema;
use serde::Serialize;

use super::log_reader::LogReader;
use crate::{
    compute::ComputeScope,
    octopus,
    text::log_line::{LogLevel, LogLine},
    tool::{Context, Error},
};

/// The range of a log to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogRange {
    /// The last lines before this line number that fit.
    Before(u64),
    /// The first lines from this line number on that fit.
    From(u64),
}

/// A range of a log. Line numbers start at 1.
#[derive(Debug, Default)]
pub(super) struct LogPart {
    pub(super) text: String,
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
    /// Set if the log was read to its end.
    pub(super) total_lines: Option<u64>,
    pub(super) total_bytes: Option<u64>,
    pub(super) problems: ProblemCounts,
    pub(super) more_before: bool,
    pub(super) more_after: bool,
}

/// Number of problems in the lines that were read, by category of the line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProblemCounts {
    total: u64,
    alert: u64,
    warning: u64,
    error: u64,
    fatal: u64,
    /// Headings of failed or timed-out steps and targets.
    failed_headings: u64,
}

impl ProblemCounts {
    /// Counts the line if it is a problem. Returns whether it is one.
    pub(super) fn add(&mut self, line: &LogLine<'_>) -> bool {
        if !line.is_problem() {
            return false;
        }
        self.total += 1;
        let count = match line.level {
            Some(LogLevel::Alert) => &mut self.alert,
            Some(LogLevel::Warning) => &mut self.warning,
            Some(LogLevel::Error) => &mut self.error,
            Some(LogLevel::Fatal) => &mut self.fatal,
            _ => &mut self.failed_headings,
        };
        *count += 1;
        true
    }
}

/// Number of bytes between two progress reports.
const PROGRESS_INTERVAL_BYTES: u64 = 1024 * 1024;

/// Maximum number of received chunks for one job of the compute pool.
const CHUNKS_PER_JOB: usize = 16;

/// Reads a range of at most `max_bytes` bytes of JSON, and at least one line.
///
/// Lines are split and sanitized in the compute pool.
pub(super) async fn read(
    pieces: impl Stream<Item = Result<Bytes, octopus::Error>> + Unpin,
    range: LogRange,
    only_problems: bool,
    max_bytes: usize,
    cx: &Context,
) -> Result<LogPart, Error> {
    let progress = |reported: u64| {
        cx.progress.report(reported, || {
            format!("{} MiB of the log read", reported / PROGRESS_INTERVAL_BYTES)
        });
    };
    read_with(cx.compute(), pieces, LogReader::new(range, only_problems, max_bytes), progress).await
}

async fn read_with(
    compute: &ComputeScope,
    pieces: impl Stream<Item = Result<Bytes, octopus::Error>> + Unpin,
    mut reader: LogReader,
    progress: impl Fn(u64),
) -> Result<LogPart, Error> {
    let mut pieces = pieces.ready_chunks(CHUNKS_PER_JOB);
    let mut reported = 0;
    let mut continues = true;
    while continues && let Some(received) = pieces.next().await {
        let mut received = received.into_iter().collect::<Result<VecDeque<_>, _>>()?;
        while continues && !received.is_empty() {
            (reader, received, continues) =
                compute.run(move |budget| reader.push_all(received, budget)).await?;
        }
        if reader.bytes - reported >= PROGRESS_INTERVAL_BYTES {
            reported = reader.bytes;
            progress(reported);
        }
    }
    Ok(compute.run(move |_| Ok(reader.finish(continues))).await?)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use tokio::runtime::Runtime;

    use super::{super::log_reader::MAX_LINE_BYTES, *};
    use crate::compute::{CallerKey, ComputePool};

    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| tokio::runtime::Builder::new_current_thread().build().unwrap());

    fn read_all(log: &[u8], pieces: usize, range: LogRange, max_bytes: usize) -> LogPart {
        let pieces: Vec<_> =
            log.chunks(pieces.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let pool = ComputePool::new(1, std::time::Duration::from_mins(1));
        let scope = pool.scope(CallerKey::new([0; 32]));
        let reader = LogReader::new(range, false, max_bytes);
        let read = read_with(&scope, futures::stream::iter(pieces), reader, |_| {});
        RUNTIME.block_on(read).unwrap()
    }

    #[test]
    fn reads_the_end_by_default() {
        let log: String = (1..=1000).fold(String::new(), |log, n| log + &format!("line {n}\r\n"));
        let part = read_all(log.as_bytes(), 7, LogRange::Before(u64::MAX), 100);
        assert_eq!(part.last, Some(1000));
        assert_eq!(part.total_lines, Some(1000));
        assert!(part.text.ends_with("line 1000") && part.text.len() <= 100);
        assert!(part.more_before && !part.more_after);
    }

    #[test]
    fn shortens_a_line_without_end() {
        let part = read_all(&vec![b'x'; 300_000], 1000, LogRange::Before(u64::MAX), 100_000);
        assert_eq!((part.text.len(), part.total_lines), (MAX_LINE_BYTES + 4, Some(1)));
        assert!(part.text.ends_with("x ..."));
        assert_eq!(part.total_bytes, Some(300_000));
    }

    proptest! {
        #[test]
        fn paging_visits_every_line_once(
            lines in prop::collection::vec("[a-z ]{0,30}", 1..60),
            pieces in 1usize..50,
            max_bytes in 40usize..200,
        ) {
            let log = lines.join("\n") + "\n";
            let mut back: Vec<String> = Vec::new();
            let mut end = u64::MAX;
            loop {
                let part = read_all(log.as_bytes(), pieces, LogRange::Before(end), max_bytes);
                let text = part.text.split('\n').map(str::to_owned);
                back.splice(0..0, text);
                if !part.more_before { break }
                end = part.first.unwrap();
            }
            prop_assert_eq!(&back, &lines);

            let mut forth: Vec<String> = Vec::new();
            let mut start = 1;
            loop {
                let part = read_all(log.as_bytes(), pieces, LogRange::From(start), max_bytes);
                forth.extend(part.text.split('\n').map(str::to_owned));
                if !part.more_after { break }
                start = part.last.unwrap() + 1;
            }
            prop_assert_eq!(&forth, &lines);
        }
    }
}

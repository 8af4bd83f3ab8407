//! Reads a part of a log of any size in bounded memory.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::{Stream, StreamExt};

use super::log_reader::Reader;
use crate::{
    compute::ComputeScope,
    octopus,
    tool::{Context, Error},
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

/// How often progress is told.
const TELL_EVERY: u64 = 1024 * 1024;

/// How many pieces that have arrived one job of the compute pool gets.
const TOGETHER: usize = 16;

/// Reads the part that is wanted, of at most `room` bytes as JSON, and one line at least. The lines
/// are made in the compute pool.
pub(super) async fn read(
    pieces: impl Stream<Item = Result<Bytes, octopus::Error>> + Unpin,
    wanted: Wanted,
    only_problems: bool,
    room: usize,
    cx: &Context,
) -> Result<Part, Error> {
    let progress = |told: u64| {
        cx.progress.report(told, || format!("{} MiB of the log read", told / TELL_EVERY));
    };
    read_in(cx.compute(), pieces, Reader::new(wanted, only_problems, room), progress).await
}

async fn read_in(
    compute: &ComputeScope,
    pieces: impl Stream<Item = Result<Bytes, octopus::Error>> + Unpin,
    mut reader: Reader,
    progress: impl Fn(u64),
) -> Result<Part, Error> {
    let mut pieces = pieces.ready_chunks(TOGETHER);
    let mut told = 0;
    let mut goes_on = true;
    while goes_on && let Some(arrived) = pieces.next().await {
        let mut arrived = arrived.into_iter().collect::<Result<VecDeque<_>, _>>()?;
        while goes_on && !arrived.is_empty() {
            (reader, arrived, goes_on) =
                compute.run(move |budget| reader.take_all(arrived, budget)).await?;
        }
        if reader.bytes - told >= TELL_EVERY {
            told = reader.bytes;
            progress(told);
        }
    }
    Ok(compute.run(move |_| Ok(reader.finish(goes_on))).await?)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use tokio::runtime::Runtime;

    use super::{super::log_reader::LONGEST_LINE, *};
    use crate::compute::{CallerKey, ComputePool};

    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| tokio::runtime::Builder::new_current_thread().build().unwrap());

    fn read_all(log: &[u8], pieces: usize, wanted: Wanted, room: usize) -> Part {
        let pieces: Vec<_> =
            log.chunks(pieces.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let pool = ComputePool::new(1, std::time::Duration::from_mins(1));
        let scope = pool.scope(CallerKey::new([0; 32]));
        let reader = Reader::new(wanted, false, room);
        let read = read_in(&scope, futures::stream::iter(pieces), reader, |_| {});
        RUNTIME.block_on(read).unwrap()
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

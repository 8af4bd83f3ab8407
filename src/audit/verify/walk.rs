//! Reads the records of a chain and compares each with the previous one.

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
};

use super::{Expected, Finding, MOST, Run, Verified};
use crate::audit::{
    KeyRing,
    chain::{Broken, Link, NOTHING, Rekeyed, link},
};

/// The maximum length of a line in bytes. Records are shorter.
const LONGEST: u64 = 1024 * 1024;

/// The state of a verification.
#[derive(Debug)]
pub(super) struct Walk<'e> {
    keys: &'e KeyRing,
    /// The hashes in the given heads, by sequence number.
    heads: BTreeMap<u64, Vec<&'e str>>,
    found: Verified,
    file: usize,
    line: u64,
    /// Whether no record of the current file was read yet.
    is_head: bool,
    /// The number and length of a line that cannot be parsed. The next record may report that it
    /// was truncated.
    torn: Option<(u64, u64)>,
    /// The number of invalid lines since the last record. Each may replace a record and is reported
    /// only once.
    broken: u64,
}

impl<'e> Walk<'e> {
    pub(super) fn new(expected: &'e Expected) -> Self {
        let mut heads: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for head in &expected.heads {
            heads.entry(head.count).or_default().push(&head.last);
        }
        Self {
            keys: &expected.keys,
            heads,
            found: Verified::default(),
            file: 0,
            line: 0,
            is_head: true,
            torn: None,
            broken: 0,
        }
    }

    /// Verifies the next file.
    pub(super) fn file(&mut self, file: usize, reader: impl BufRead) -> io::Result<()> {
        (self.file, self.line, self.is_head) = (file, 0, true);
        self.read(reader)?;
        self.settle();
        Ok(())
    }

    /// Returns the result, and the location of the last line.
    pub(super) fn end(self) -> (Verified, Finding) {
        let place = Finding { file: self.file, line: self.line, what: String::new() };
        (self.found, place)
    }

    fn read(&mut self, mut reader: impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = io::Read::take(&mut reader, LONGEST).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(());
            }
            self.line += 1;
            let is_whole = line.pop_if(|byte| *byte == b'\n').is_some();
            match link(&line, self.keys) {
                Ok(next) => self.follow(next),
                Err(Broken::Unreadable) => {
                    self.settle();
                    self.torn = Some((self.line, line.len() as u64));
                }
                Err(Broken::Changed) => {
                    self.settle();
                    self.broken += 1;
                    self.is_head = false;
                    self.add("the record was changed".to_owned());
                }
            }
            if !is_whole && self.torn.is_none() {
                self.add("the end of the line is missing".to_owned());
            }
        }
    }

    /// Reports a line that cannot be parsed and that no record reports as truncated.
    fn settle(&mut self) {
        if let Some((line, _)) = self.torn.take() {
            self.broken += 1;
            self.is_head = false;
            self.add_at(line, "not a valid record: it was changed or truncated".to_owned());
        }
    }

    fn follow(&mut self, next: Link) {
        let begin = next.begin.as_ref();
        match self.torn {
            Some((line, bytes)) if begin.is_some_and(|begin| begin.torn == bytes) => {
                self.torn = None;
                self.note_at(
                    line,
                    format!("{bytes} bytes of a record that was truncated by a crash"),
                );
            }
            _ => self.settle(),
        }
        if let Some(begin) = begin.filter(|begin| begin.lost > 0) {
            let what = format!("{} records could not be written before this one", begin.lost);
            self.note_at(self.line, what);
        }
        let is_head = std::mem::replace(&mut self.is_head, false);
        let begins = begin.is_some_and(|begin| matches!(begin.why.as_str(), "first" | "rotated"));
        if is_head && !begins {
            self.add("the beginning of the file is missing".to_owned());
        }
        if let Some(begin) = begin.filter(|begin| begin.after + 1 != next.seq) {
            self.add(format!("the notice reports {} records before it", begin.after));
        }
        self.place(&next);
        self.key(&next);
        if self.heads.get(&next.seq).is_some_and(|heads| heads.iter().any(|h| *h != next.hash)) {
            self.add(format!("a head has another hash for record {}", next.seq));
        }
        self.broken = 0;
        self.found.records += 1;
        self.found.last = Some((next.seq, next.hash));
    }

    /// Compares the sequence number and previous hash of a record with the record before it.
    fn place(&mut self, next: &Link) {
        let Some((seq, hash)) = self.found.last.clone() else {
            if next.seq == 1 && next.prev != NOTHING {
                self.add("the first record refers to a previous one".to_owned());
            }
            self.found.after = next.seq.saturating_sub(1 + self.broken);
            return;
        };
        let missing = next.seq.saturating_sub(seq + 1);
        if next.seq <= seq {
            self.add(format!(
                "record {} follows record {seq}: records were inserted, repeated or reordered",
                next.seq
            ));
        } else if missing > self.broken {
            let missing = missing - self.broken;
            self.add(format!("{missing} records are missing before record {}", next.seq));
        } else if missing == 0 && next.prev != hash {
            let what = format!("record {} does not refer to the record before it", next.seq);
            self.add(what);
        }
    }

    /// Compares the key of a record with the key of the record before it.
    fn key(&mut self, next: &Link) {
        let seq = next.seq;
        let run = Run { first: seq, last: seq, key: next.key.clone(), is_checked: next.is_checked };
        let follows = self.found.last.as_ref().is_some_and(|(last, _)| last + 1 == seq);
        let rekeyed = next.begin.as_ref().and_then(|begin| begin.rekeyed.as_ref());
        match self.found.runs.last_mut() {
            Some(run) if run.key == next.key => run.last = seq,
            Some(before) => {
                let change = Rekeyed { from: before.key.clone(), to: next.key.clone() };
                let shown = |key: &Option<String>| key.clone().unwrap_or("no key".to_owned());
                let what = format!("{} to {}", shown(&change.from), shown(&change.to));
                if self.found.runs.len() < MOST {
                    self.found.runs.push(run);
                } else {
                    // Later records are not verified, so they must not count as verified.
                    self.add(format!("the key changes more than {MOST} times"));
                }
                if rekeyed == Some(&change) {
                    self.note_at(self.line, format!("the key changes here from {what}"));
                } else if follows {
                    self.add(format!(
                        "the key changes from {what}, but the record has no notice of that"
                    ));
                }
            }
            None => self.found.runs.push(run),
        }
    }

    fn add(&mut self, what: String) {
        self.add_at(self.line, what);
    }

    fn add_at(&mut self, line: u64, what: String) {
        if self.found.findings.len() < MOST {
            self.found.findings.push(Finding { file: self.file, line, what });
        }
    }

    fn note_at(&mut self, line: u64, what: String) {
        if self.found.notes.len() < MOST {
            self.found.notes.push(Finding { file: self.file, line, what });
        }
    }
}

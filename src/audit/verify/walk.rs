//! Reads the records of a chain, and compares each with the one before.

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
};

use super::{Expected, Finding, MOST, Run, Verified};
use crate::audit::{
    KeyRing,
    chain::{Broken, Link, NOTHING, Rekeyed, link},
};

/// Longer than any record.
const LONGEST: u64 = 1024 * 1024;

/// A walk along a chain.
#[derive(Debug)]
pub(super) struct Walk<'e> {
    keys: &'e KeyRing,
    /// The hashes that heads name, by the number of their record.
    heads: BTreeMap<u64, Vec<&'e str>>,
    found: Verified,
    file: usize,
    line: u64,
    /// Whether no record of this file was read yet.
    is_head: bool,
    /// A line that does not read, and how long it is: the next record may say that it was torn.
    torn: Option<(u64, u64)>,
    /// How many lines since the last record were no records: each may stand for one, and is told
    /// once.
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

    /// Reads the next file.
    pub(super) fn file(&mut self, file: usize, reader: impl BufRead) -> io::Result<()> {
        (self.file, self.line, self.is_head) = (file, 0, true);
        self.read(reader)?;
        self.settle();
        Ok(())
    }

    /// Returns what was found, and the place of the last line.
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

    /// A line that does not read, and that no record says was torn.
    fn settle(&mut self) {
        if let Some((line, _)) = self.torn.take() {
            self.broken += 1;
            self.is_head = false;
            self.add_at(
                line,
                "this is no record: it was changed, or its end is missing".to_owned(),
            );
        }
    }

    fn follow(&mut self, next: Link) {
        let begin = next.begin.as_ref();
        match self.torn {
            Some((line, bytes)) if begin.is_some_and(|begin| begin.torn == bytes) => {
                self.torn = None;
                self.note_at(
                    line,
                    format!("{bytes} bytes of a record that was cut off by a crash"),
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
            self.add(format!("it says that {} records came before it", begin.after));
        }
        self.place(&next);
        self.key(&next);
        if self.heads.get(&next.seq).is_some_and(|heads| heads.iter().any(|h| *h != next.hash)) {
            self.add(format!("a head names another hash for number {}", next.seq));
        }
        self.broken = 0;
        self.found.records += 1;
        self.found.last = Some((next.seq, next.hash));
    }

    /// Compares a record with the one before.
    fn place(&mut self, next: &Link) {
        let Some((seq, hash)) = self.found.last.clone() else {
            if next.seq == 1 && next.prev != NOTHING {
                self.add("it is the first record and follows another one".to_owned());
            }
            self.found.after = next.seq.saturating_sub(1 + self.broken);
            return;
        };
        let missing = next.seq.saturating_sub(seq + 1);
        if next.seq <= seq {
            self.add(format!(
                "number {} stands after number {seq}: records were inserted, repeated or put in \
                 another order",
                next.seq
            ));
        } else if missing > self.broken {
            let missing = missing - self.broken;
            self.add(format!("{missing} records are missing before number {}", next.seq));
        } else if missing == 0 && next.prev != hash {
            let what = format!("number {} follows another record than the one before it", next.seq);
            self.add(what);
        }
    }

    /// Compares the key of a record with that of the one before.
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
                        "the key changes from {what}, and the record does not say so"
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

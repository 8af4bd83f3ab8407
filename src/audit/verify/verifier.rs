//! Reads the records of a chain and compares each with the previous one.

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
};

use super::{ExpectedChain, Finding, KeyRun, MAX_FINDINGS, Verification};
use crate::audit::{
    KeyRing,
    chain::{ChainLink, GENESIS_HASH, KeyChange, LinkError, parse_link},
};

/// The maximum length of a line in bytes. Records are shorter.
const MAX_LINE_BYTES: u64 = 1024 * 1024;

/// The state of a verification.
#[derive(Debug)]
pub(super) struct ChainVerifier<'e> {
    keys: &'e KeyRing,
    /// The hashes in the expected heads, by sequence number.
    heads: BTreeMap<u64, Vec<&'e str>>,
    verification: Verification,
    file: usize,
    line: u64,
    /// Whether no record of the current file has been read yet.
    is_file_start: bool,
    /// The number and length of a line that cannot be parsed. The next record may report that it
    /// was truncated.
    torn: Option<(u64, u64)>,
    /// The sequence number of the last record whose hash differs from a head. The next record does
    /// not refer to its hash either, which is the same edit.
    replaced: Option<u64>,
    /// The number of invalid lines since the last record. Each may replace a record; it is reported
    /// once.
    broken_lines: u64,
}

impl<'e> ChainVerifier<'e> {
    pub(super) fn new(expected: &'e ExpectedChain) -> Self {
        let mut heads: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for head in &expected.heads {
            heads.entry(head.count).or_default().push(&head.last);
        }
        Self {
            keys: &expected.keys,
            heads,
            verification: Verification::default(),
            file: 0,
            line: 0,
            is_file_start: true,
            torn: None,
            replaced: None,
            broken_lines: 0,
        }
    }

    /// Verifies the next file.
    pub(super) fn verify_file(&mut self, file: usize, reader: impl BufRead) -> io::Result<()> {
        (self.file, self.line, self.is_file_start) = (file, 0, true);
        self.read(reader)?;
        self.report_unparsed_line();
        Ok(())
    }

    /// Returns the result, and the location of the last line.
    pub(super) fn finish(self) -> (Verification, Finding) {
        let location = Finding { file: self.file, line: self.line, message: String::new() };
        let invalid_at_end = self.broken_lines;
        (Verification { invalid_at_end, ..self.verification }, location)
    }

    fn read(&mut self, mut reader: impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = io::Read::take(&mut reader, MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(());
            }
            self.line += 1;
            let is_whole = line.pop_if(|byte| *byte == b'\n').is_some();
            match parse_link(&line, self.keys) {
                Ok(next) => self.check_link(next),
                Err(LinkError::Malformed) => {
                    self.report_unparsed_line();
                    self.torn = Some((self.line, line.len() as u64));
                }
                Err(LinkError::HashMismatch) => {
                    self.report_unparsed_line();
                    self.broken_lines += 1;
                    self.is_file_start = false;
                    self.report("the record was changed".to_owned());
                }
            }
            if !is_whole && self.torn.is_none() {
                self.report("the end of the line is missing".to_owned());
            }
        }
    }

    /// Reports an unparsable line unless a record reports it as truncated.
    fn report_unparsed_line(&mut self) {
        if let Some((line, _)) = self.torn.take() {
            self.broken_lines += 1;
            self.is_file_start = false;
            self.report_at(line, "not a valid record: it was changed or truncated".to_owned());
        }
    }

    fn check_link(&mut self, next: ChainLink) {
        let begin = next.begin.as_ref();
        match self.torn {
            Some((line, bytes)) if begin.is_some_and(|begin| begin.torn == bytes) => {
                self.torn = None;
                self.note_at(
                    line,
                    format!("{bytes} bytes of a record that was truncated by a crash"),
                );
            }
            _ => self.report_unparsed_line(),
        }
        if let Some(begin) = begin.filter(|begin| begin.lost > 0) {
            let message = format!("{} records could not be written before this one", begin.lost);
            self.note_at(self.line, message);
        }
        let is_head = std::mem::replace(&mut self.is_file_start, false);
        let begins =
            begin.is_some_and(|begin| matches!(begin.reason.as_str(), "first" | "rotated"));
        if is_head && !begins {
            self.report("the beginning of the file is missing".to_owned());
        }
        if let Some(begin) = begin.filter(|begin| begin.after + 1 != next.seq) {
            self.report(format!(
                "the chain notice expects {} preceding records, but the record has sequence number \
                 {}",
                begin.after, next.seq
            ));
        }
        self.check_sequence(&next);
        self.check_key(&next);
        if self.heads.get(&next.seq).is_some_and(|heads| heads.iter().any(|h| *h != next.hash)) {
            self.replaced = Some(next.seq);
            self.report(format!(
                "the hash of record {} differs from the hash in a recorded chain head",
                next.seq
            ));
        }
        self.broken_lines = 0;
        self.verification.records += 1;
        self.verification.last = Some((next.seq, next.hash));
    }

    /// Compares the sequence number and previous hash of a record with the record before it.
    fn check_sequence(&mut self, next: &ChainLink) {
        let Some((seq, hash)) = self.verification.last.clone() else {
            if next.seq == 1 && next.prev != GENESIS_HASH {
                self.report("the first record refers to a previous one".to_owned());
            }
            self.verification.after = next.seq.saturating_sub(1 + self.broken_lines);
            return;
        };
        let missing = next.seq.saturating_sub(seq + 1);
        if next.seq <= seq {
            self.report(format!(
                "record {} follows record {seq}: records were inserted, repeated or reordered",
                next.seq
            ));
        } else if missing > self.broken_lines {
            let missing = missing - self.broken_lines;
            self.report(format!("{missing} records are missing before record {}", next.seq));
        } else if missing == 0 && next.prev != hash && self.replaced != Some(seq) {
            let message = format!("record {} does not refer to the record before it", next.seq);
            self.report(message);
        }
    }

    /// Compares the key of a record with the key of the record before it.
    fn check_key(&mut self, next: &ChainLink) {
        let seq = next.seq;
        let run =
            KeyRun { first: seq, last: seq, key: next.key.clone(), is_checked: next.is_checked };
        let follows = self.verification.last.as_ref().is_some_and(|(last, _)| last + 1 == seq);
        let rekeyed = next.begin.as_ref().and_then(|begin| begin.rekeyed.as_ref());
        match self.verification.runs.last_mut() {
            Some(run) if run.key == next.key => run.last = seq,
            Some(before) => {
                let change = KeyChange { from: before.key.clone(), to: next.key.clone() };
                let shown = |key: &Option<String>| key.clone().unwrap_or("no key".to_owned());
                let message = format!("{} to {}", shown(&change.from), shown(&change.to));
                if self.verification.runs.len() < MAX_FINDINGS {
                    self.verification.runs.push(run);
                } else {
                    // Later records are not verified, so they must not count as verified.
                    self.report(format!("the key changes more than {MAX_FINDINGS} times"));
                }
                if rekeyed == Some(&change) {
                    self.note_at(self.line, format!("the key changes here from {message}"));
                } else if follows {
                    self.report(format!(
                        "the key changes from {message}, but the record has no notice of that"
                    ));
                }
            }
            None => self.verification.runs.push(run),
        }
    }

    fn report(&mut self, message: String) {
        self.report_at(self.line, message);
    }

    fn report_at(&mut self, line: u64, message: String) {
        if self.verification.findings.len() < MAX_FINDINGS {
            self.verification.findings.push(Finding { file: self.file, line, message });
        }
    }

    fn note_at(&mut self, line: u64, message: String) {
        if self.verification.notes.len() < MAX_FINDINGS {
            self.verification.notes.push(Finding { file: self.file, line, message });
        }
    }
}

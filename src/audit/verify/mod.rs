//! Whether a chain of records is whole.

use std::io::{self, BufRead};

use super::chain::{Broken, Link, NOTHING, link};

/// What is known of the end of a chain from elsewhere: nobody sees in a file that its end is gone.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The number of the last record.
    pub count: Option<u64>,
    /// Its hash.
    pub last: Option<String>,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, by its place among those that were given.
    pub file: usize,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong.
    pub what: String,
}

/// What a chain came to.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// How many records were read.
    pub records: u64,
    /// The number of the record before the first one that was read.
    pub after: u64,
    /// The number and hash of the last record.
    pub last: Option<(u64, String)>,
    /// What is wrong, as far as it was looked for.
    pub findings: Vec<Finding>,
    /// What is as it may be, and worth knowing.
    pub notes: Vec<Finding>,
}

/// How much wrong is told.
const MOST: usize = 100;
/// Longer than any record.
const LONGEST: u64 = 1024 * 1024;

/// Reads files in their order, line by line, and says what does not follow.
pub fn verify<R: BufRead>(
    files: impl IntoIterator<Item = io::Result<R>>,
    expected: &Expected,
) -> io::Result<Verified> {
    let mut walk = Walk::default();
    for (file, reader) in files.into_iter().enumerate() {
        (walk.file, walk.line, walk.is_head) = (file, 0, true);
        walk.read(reader?)?;
        walk.settle();
    }
    let mut found = walk.found;
    let (seq, hash) = found.last.clone().unwrap_or((0, NOTHING.to_owned()));
    let at = |what: String| Finding { file: walk.file, line: walk.line, what };
    if expected.count.is_some_and(|count| count != seq) {
        let count = expected.count.unwrap_or_default();
        found.findings.push(at(format!("the last record is number {seq}, not {count}")));
    }
    if expected.last.as_ref().is_some_and(|last| !last.trim().eq_ignore_ascii_case(&hash)) {
        found.findings.push(at(format!("the last record has the hash {hash}, not the one given")));
    }
    if found.records == 0 {
        found.findings.push(at("there is no record".to_owned()));
    }
    Ok(found)
}

#[derive(Debug, Default)]
struct Walk {
    found: Verified,
    file: usize,
    line: u64,
    /// Whether no record of this file was read yet.
    is_head: bool,
    /// A line that does not read, and how long it is: the next record may say that it was torn.
    torn: Option<(u64, u64)>,
}

impl Walk {
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
            match link(&line) {
                Ok(next) => self.follow(next),
                Err(Broken::Unreadable) => {
                    self.settle();
                    self.torn = Some((self.line, line.len() as u64));
                }
                Err(Broken::Changed) => self.add("the record was changed".to_owned()),
            }
            if !is_whole && self.torn.is_none() {
                self.add("the end of the line is missing".to_owned());
            }
        }
    }

    /// A line that does not read, and that no record says was torn.
    fn settle(&mut self) {
        if let Some((line, _)) = self.torn.take() {
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
                let what = format!("{bytes} bytes of a record that was cut off by a crash");
                self.found.notes.push(Finding { file: self.file, line, what });
            }
            _ => self.settle(),
        }
        if let Some(begin) = begin.filter(|begin| begin.lost > 0) {
            let what = format!("{} records could not be written before this one", begin.lost);
            self.found.notes.push(Finding { file: self.file, line: self.line, what });
        }
        let is_head = std::mem::replace(&mut self.is_head, false);
        let begins = begin.is_some_and(|begin| matches!(begin.why.as_str(), "first" | "rotated"));
        if is_head && !begins {
            self.add("the beginning of the file is missing".to_owned());
        }
        if let Some(begin) = begin.filter(|begin| begin.after + 1 != next.seq) {
            self.add(format!("it says that {} records came before it", begin.after));
        }
        match &self.found.last {
            None if next.seq == 1 && next.prev != NOTHING => {
                self.add("it is the first record and follows another one".to_owned());
            }
            None => self.found.after = next.seq.saturating_sub(1),
            Some((seq, hash)) => {
                let (seq, is_next) = (*seq, next.prev == *hash);
                if next.seq > seq + 1 {
                    let missing = next.seq - seq - 1;
                    self.add(format!("{missing} records are missing before number {}", next.seq));
                } else if next.seq <= seq {
                    self.add(format!(
                        "number {} stands after number {seq}: records were inserted, repeated or \
                         put in another order",
                        next.seq
                    ));
                } else if !is_next {
                    self.add(format!(
                        "number {} follows another record than the one before it",
                        next.seq
                    ));
                }
            }
        }
        self.found.records += 1;
        self.found.last = Some((next.seq, next.hash));
    }

    fn add(&mut self, what: String) {
        self.add_at(self.line, what);
    }

    fn add_at(&mut self, line: u64, what: String) {
        if self.found.findings.len() < MOST {
            self.found.findings.push(Finding { file: self.file, line, what });
        }
    }
}

#[cfg(test)]
mod tests;

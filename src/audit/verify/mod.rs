//! Whether a chain of records is whole.
//!
//! | part | what it does |
//! | --- | --- |
//! | `walk.rs` | reads the records one after the other and compares each with the one before |
//! | `proof.rs` | judges which records a key proves, and which heads the chain agrees with |

use std::io::{self, BufRead};

use super::{Head, KeyRing, chain::NOTHING};

mod proof;
mod walk;

#[cfg(test)]
mod tests;

/// What is known of a chain from elsewhere: its keys, and what its end was at some moment. A file
/// does not show that its end was cut off.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The number of the last record.
    pub count: Option<u64>,
    /// Its hash.
    pub last: Option<String>,
    /// The keys that the records were written with.
    pub keys: KeyRing,
    /// Whether the records have a key, also where it is not given here.
    pub is_keyed: bool,
    /// The number of the last record that was written before the chain had a key.
    pub unkeyed_until: Option<u64>,
    /// Heads of this chain that were kept elsewhere.
    pub heads: Vec<Head>,
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

/// Records in a row that were written with the same key, or without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The number of the first record.
    pub first: u64,
    /// The number of the last record.
    pub last: u64,
    /// The ID of the key.
    pub key: Option<String>,
    /// Whether the key was given, so that the records were compared with it.
    pub is_checked: bool,
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
    /// Which records were written with which key: the first 100 runs.
    pub runs: Vec<Run>,
    /// What is wrong: the first 100 findings.
    pub findings: Vec<Finding>,
    /// What is as it may be, and worth knowing.
    pub notes: Vec<Finding>,
}

/// The most findings, notes and runs that are kept.
const MOST: usize = 100;

/// Reads files in their order, line by line, and says what does not follow.
///
/// # Errors
///
/// Where a file cannot be opened or read.
pub fn verify<R: BufRead>(
    files: impl IntoIterator<Item = io::Result<R>>,
    expected: &Expected,
) -> io::Result<Verified> {
    let mut walk = walk::Walk::new(expected);
    for (file, reader) in files.into_iter().enumerate() {
        walk.file(file, reader?)?;
    }
    let (mut found, place) = walk.end();
    let (seq, hash) = found.last.clone().unwrap_or((0, NOTHING.to_owned()));
    let at = |what: String| Finding { what, ..place.clone() };
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
    let newest = expected.heads.iter().map(|head| head.count).max();
    if newest.is_some_and(|newest| newest <= found.after) {
        let what = "no head is compared: all name records before the first one here".to_owned();
        found.notes.push(at(what));
    }
    let (keys, heads) = (proof::keys(&found, expected), proof::heads(&found, expected));
    found.findings.extend(keys.into_iter().chain(heads).map(at));
    Ok(found)
}

//! Verification of a chain of records.
//!
//! | file | responsibility |
//! | --- | --- |
//! | `verifier.rs` | reads the records in order and compares each with the previous one |
//! | `keys_and_heads.rs` | checks the keys of the records and compares the chain with heads |

use std::io::{self, BufRead};

use super::{ChainHead, KeyRing, chain::GENESIS_HASH};

mod keys_and_heads;
mod verifier;

#[cfg(test)]
mod tests;

/// Facts about a chain from another source: its keys and earlier heads. A file alone does not
/// reveal that its end was cut off.
#[derive(Debug, Clone, Default)]
pub struct ExpectedChain {
    /// The sequence number of the last record.
    pub count: Option<u64>,
    /// The hash of the last record.
    pub last: Option<String>,
    /// The keys of the records.
    pub keys: KeyRing,
    /// Whether the records have a key. Also set if the key itself is not available.
    pub is_keyed: bool,
    /// The sequence number of the last record before the chain had a key.
    pub unkeyed_until: Option<u64>,
    /// Heads of this chain, kept outside of the file.
    pub heads: Vec<ChainHead>,
}

/// A problem or a note, with its location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The index of the file in the list of verified files.
    pub file: usize,
    /// The line number, counted from 1.
    pub line: u64,
    /// The description.
    pub message: String,
}

/// Consecutive records with the same key, or without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRun {
    /// The sequence number of the first record.
    pub first: u64,
    /// The sequence number of the last record.
    pub last: u64,
    /// The key ID.
    pub key: Option<String>,
    /// Whether the key was provided, so that the hashes were verified.
    pub is_checked: bool,
}

/// The result of a verification.
#[derive(Debug, Clone, Default)]
pub struct Verification {
    /// The number of verified records.
    pub records: u64,
    /// The sequence number of the record before the first one.
    pub after: u64,
    /// The sequence number and hash of the last record.
    pub last: Option<(u64, String)>,
    /// The number of invalid lines after the last record.
    pub invalid_at_end: u64,
    /// The key of each run of records. Limited to 100 runs.
    pub runs: Vec<KeyRun>,
    /// The problems. Limited to 100.
    pub findings: Vec<Finding>,
    /// Observations that are not problems. Limited to 100.
    pub notes: Vec<Finding>,
}

/// The maximum number of findings, notes and runs.
const MAX_FINDINGS: usize = 100;

/// Verifies files in the given order, line by line.
///
/// # Errors
///
/// Returns an error if a file cannot be opened or read.
pub fn verify<R: BufRead>(
    files: impl IntoIterator<Item = io::Result<R>>,
    expected: &ExpectedChain,
) -> io::Result<Verification> {
    let mut walk = verifier::ChainVerifier::new(expected);
    for (file, reader) in files.into_iter().enumerate() {
        walk.verify_file(file, reader?)?;
    }
    let (mut found, location) = walk.finish();
    let (seq, hash) = found.last.clone().unwrap_or((0, GENESIS_HASH.to_owned()));
    let at = |message: String| Finding { message, ..location.clone() };
    // Invalid lines at the end are reported already. Each may be one of the expected records.
    let invalid = found.invalid_at_end;
    if let Some(count) = expected.count.filter(|count| !(seq..=seq + invalid).contains(count)) {
        found.findings.push(at(format!("the last record is {seq}, expected {count}")));
    }
    let is_other = |last: &String| !last.trim().eq_ignore_ascii_case(&hash);
    if invalid == 0 && expected.last.as_ref().is_some_and(is_other) {
        found.findings.push(at(format!(
            "the last record has the hash {hash}, which is not the expected one"
        )));
    }
    if found.records == 0 && invalid == 0 {
        found.findings.push(at("no records found".to_owned()));
    }
    let newest = expected.heads.iter().map(|head| head.count).max();
    if newest.is_some_and(|newest| newest <= found.after) {
        let message =
            "no heads were compared: all refer to records before the first one".to_owned();
        found.notes.push(at(message));
    }
    let (keys, heads) = (
        keys_and_heads::check_keys(&found, expected),
        keys_and_heads::check_heads(&found, expected),
    );
    found.findings.extend(keys.into_iter().chain(heads).map(at));
    Ok(found)
}

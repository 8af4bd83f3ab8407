//! The chain of records: each line holds the hash of the one before, and its own.
//!
//! A line is `{"v":1,"seq":N,...,"prev":"HASH","hash":"HASH"}`. Its hash is the SHA-256 of the line
//! as it is written, without `,"hash":"HASH"`. So nothing has to be read and written again to check
//! it, and there is no second way of writing the same record.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The version of the form of records.
const VERSION: u8 = 1;
/// The hash before the first record.
pub(super) const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The end of a chain, to which the next record is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// The number of the last record.
    pub(super) seq: u64,
    /// Its hash.
    pub(super) hash: String,
}

/// What a chain says of itself: where a file begins or goes on, and what is missing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notice {
    /// `first`, `rotated`, `restarted` or `lost`.
    pub(super) why: String,
    /// The number of the last record before this one.
    pub(super) after: u64,
    /// How many records could not be written before this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) lost: u64,
    /// How many bytes of a record that was cut off stand before this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) torn: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What stands at both ends of every line.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Link {
    pub(super) v: u8,
    pub(super) seq: u64,
    pub(super) prev: String,
    #[serde(skip)]
    pub(super) hash: String,
    #[serde(default)]
    pub(super) begin: Option<Notice>,
}

/// Why a line is no link of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// It does not read.
    Unreadable,
    /// Its hash is that of another text.
    Changed,
}

impl Chain {
    /// A chain without a record.
    pub(super) fn new() -> Self {
        Self { seq: 0, hash: NOTHING.to_owned() }
    }

    /// The line of the next record, with its end, and the chain with it.
    pub(super) fn line(&self, record: &str) -> (String, Self) {
        let seq = self.seq + 1;
        let members = record.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let members = members.unwrap_or("\"kind\":\"unreadable\"");
        let mut line =
            format!("{{\"v\":{VERSION},\"seq\":{seq},{members},\"prev\":\"{}\"", self.hash);
        let hash = hash(&[line.as_bytes(), b"}"]);
        let _ = writeln!(line, ",\"hash\":\"{hash}\"}}");
        (line, Self { seq, hash })
    }

    /// The line of a notice.
    pub(super) fn notice(&self, why: &str, lost: u64, torn: u64) -> (String, Self) {
        let notice = Notice { why: why.to_owned(), after: self.seq, lost, torn };
        let record = serde_json::json!({
            "kind": "begin",
            "time": Timestamp::now(),
            "server": concat!("octopus-mcp/", env!("CARGO_PKG_VERSION")),
            "begin": notice,
        });
        self.line(&record.to_string())
    }
}

/// What stands between the text of a record and its hash.
const MARK: &[u8] = b",\"hash\":\"";
/// How many letters a hash has.
const LETTERS: usize = 64;

/// Reads the text of a line, without its end.
pub(super) fn link(text: &[u8]) -> Result<Link, Broken> {
    let split = || {
        let rest = text.strip_suffix(b"\"}")?;
        let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(LETTERS)?)?;
        let text = rest.strip_suffix(MARK)?;
        Some((text, std::str::from_utf8(hash).ok()?))
    };
    let (text, told) = split().ok_or(Broken::Unreadable)?;
    if hash(&[text, b"}"]) != told {
        return Err(Broken::Changed);
    }
    let whole = [text, b"}"].concat();
    let mut link: Link = serde_json::from_slice(&whole).map_err(|_| Broken::Unreadable)?;
    told.clone_into(&mut link.hash);
    if link.v == VERSION { Ok(link) } else { Err(Broken::Unreadable) }
}

fn hash(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    let mut hash = String::with_capacity(LETTERS);
    for byte in digest.finalize() {
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}

//! The chain of records: each line holds the hash of the one before, and its own.
//!
//! A line is `{"v":1,"seq":N,...,"prev":"HASH","hash":"HASH"}`. Its hash is the SHA-256 of the line
//! as it is written, without `,"hash":"HASH"`. So nothing has to be read and written again to check
//! it, and there is no second way of writing the same record.
//!
//! With a key a line is `{"v":2,"seq":N,"key":"ID",...}`, and its hash is an HMAC-SHA-256 over the
//! same bytes. A chain can go on with a key, or with another one; a notice says so (`rekeyed`).

use std::{fmt::Write as _, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    head::Head,
    key::{ChainKey, KeyRing, hex},
};

/// The version of the form of records without a key.
const VERSION: u8 = 1;
/// The version of the form of records with a key.
const KEYED: u8 = 2;
/// The hash before the first record.
pub(super) const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The end of a chain, to which the next record is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// The number of the last record.
    pub(super) seq: u64,
    /// Its hash.
    pub(super) hash: String,
    /// The ID of the key that it was written with.
    written_with: Option<String>,
    /// The key that the next one is written with.
    key: Option<Arc<ChainKey>>,
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
    /// How the key changes with this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rekeyed: Option<Rekeyed>,
}

/// The IDs of the keys before and from a record on; `None` stands for no key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rekeyed {
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
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
    /// The ID of the key of the hash, where it has one.
    #[serde(default)]
    pub(super) key: Option<String>,
    pub(super) prev: String,
    #[serde(skip)]
    pub(super) hash: String,
    /// Whether the hash was computed and compared: without its key, it cannot be.
    #[serde(skip)]
    pub(super) is_checked: bool,
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
    pub(super) fn new(key: Option<Arc<ChainKey>>) -> Self {
        Self { seq: 0, hash: NOTHING.to_owned(), written_with: None, key }
    }

    /// The chain that goes on behind a record.
    pub(super) fn after(link: Link, key: Option<Arc<ChainKey>>) -> Self {
        Self { seq: link.seq, hash: link.hash, written_with: link.key, key }
    }

    /// The key that the next record is written with.
    pub(super) fn key(&self) -> Option<&ChainKey> {
        self.key.as_deref()
    }

    /// How the key changes with the next record.
    pub(super) fn rekeyed(&self) -> Option<Rekeyed> {
        let (from, to) = (self.written_with.clone(), self.key_id());
        (self.seq > 0 && from != to).then_some(Rekeyed { from, to })
    }

    /// The head of the chain now.
    pub(super) fn head(&self) -> Head {
        Head::new(self.seq, &self.hash, self.key())
    }

    fn key_id(&self) -> Option<String> {
        self.key().map(|key| key.id().to_owned())
    }

    /// The line of the next record, with its end, and the chain with it.
    pub(super) fn line(&self, record: &str) -> (String, Self) {
        let seq = self.seq + 1;
        let members = record.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let members = members.unwrap_or("\"kind\":\"unreadable\"");
        let mut line = match self.key() {
            Some(key) => format!("{{\"v\":{KEYED},\"seq\":{seq},\"key\":\"{}\",", key.id()),
            None => format!("{{\"v\":{VERSION},\"seq\":{seq},"),
        };
        let _ = write!(line, "{members},\"prev\":\"{}\"", self.hash);
        let parts = [line.as_bytes(), b"}"];
        let hash = self.key().map_or_else(|| hash(&parts), |key| key.hash(&parts));
        let _ = writeln!(line, ",\"hash\":\"{hash}\"}}");
        (line, Self { seq, hash, written_with: self.key_id(), key: self.key.clone() })
    }

    /// The line of a notice.
    pub(super) fn notice(&self, why: &str, lost: u64, torn: u64) -> (String, Self) {
        let rekeyed = self.rekeyed();
        let notice = Notice { why: why.to_owned(), after: self.seq, lost, torn, rekeyed };
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

/// Reads the text of a line, without its end. The hash of a record whose key is not among these is
/// not compared.
pub(super) fn link(text: &[u8], keys: &KeyRing) -> Result<Link, Broken> {
    let split = || {
        let rest = text.strip_suffix(b"\"}")?;
        let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(LETTERS)?)?;
        let text = rest.strip_suffix(MARK)?;
        Some((text, std::str::from_utf8(hash).ok()?))
    };
    let (text, told) = split().ok_or(Broken::Unreadable)?;
    let parts = [text, b"}"];
    let is_plain = || hash(&parts) == told;
    let Ok(mut link) = serde_json::from_slice::<Link>(&parts.concat()) else {
        return Err(if is_plain() { Broken::Unreadable } else { Broken::Changed });
    };
    let is_whole = match (link.v, link.key.as_deref()) {
        (VERSION, None) => is_plain(),
        (KEYED, Some(id)) => {
            let Some(key) = keys.find(id) else {
                told.clone_into(&mut link.hash);
                return Ok(link);
            };
            key.verify(&parts, told)
        }
        _ => return Err(Broken::Unreadable),
    };
    if !is_whole {
        return Err(Broken::Changed);
    }
    told.clone_into(&mut link.hash);
    link.is_checked = true;
    Ok(link)
}

fn hash(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    hex::<32>(&digest.finalize())
}

//! Hash chain of records: each line contains the hash of the previous line and its own hash.
//!
//! A line is `{"v":1,"seq":N,...,"prev":"HASH","hash":"HASH"}`. Its hash is the SHA-256 of the
//! bytes of the line without `,"hash":"HASH"`. Verification therefore never serializes a record
//! again, and each record has exactly one valid encoding.
//!
//! With a key, a line is `{"v":2,"seq":N,"key":"ID",...}`, and its hash is the HMAC-SHA-256 of the
//! same bytes. A chain can continue with a first key or with another key; a notice records the
//! change (`rekeyed`).

use std::{fmt::Write as _, sync::Arc};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    head::ChainHead,
    key::{ChainKey, KeyRing},
};

/// The format version of records without a key.
const VERSION_UNKEYED: u8 = 1;
/// The format version of records with a key.
const VERSION_KEYED: u8 = 2;
/// The previous hash of the first record.
pub(super) const GENESIS_HASH: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// The end of a chain, to which the next record is appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// The sequence number of the last record.
    pub(super) seq: u64,
    /// The hash of the last record.
    pub(super) hash: String,
    /// The ID of the key of the last record.
    last_key_id: Option<String>,
    /// The key for the next record.
    key: Option<Arc<ChainKey>>,
}

/// A record about the chain itself: the reason for its beginning or continuation, and the number of
/// missing records.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notice {
    /// `first`, `rotated`, `restarted` or `lost`.
    #[serde(rename = "why")]
    pub(super) reason: String,
    /// The sequence number of the previous record.
    pub(super) after: u64,
    /// The number of records that could not be written before this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) lost: u64,
    /// The number of bytes of a truncated record before this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) torn: u64,
    /// The key change at this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rekeyed: Option<KeyChange>,
}

/// The key IDs before and after a key change. `None` means no key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyChange {
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The fields that the chain adds to each line.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ChainLink {
    pub(super) v: u8,
    pub(super) seq: u64,
    /// The ID of the key of the hash, if it has one.
    #[serde(default)]
    pub(super) key: Option<String>,
    pub(super) prev: String,
    #[serde(skip)]
    pub(super) hash: String,
    /// Whether the hash was verified. It cannot be verified without its key.
    #[serde(skip)]
    pub(super) is_checked: bool,
    #[serde(default)]
    pub(super) begin: Option<Notice>,
}

/// Reason why a line is not a valid link of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkError {
    /// The line cannot be parsed.
    Malformed,
    /// The hash does not match the text of the line.
    HashMismatch,
}

impl Chain {
    /// Creates an empty chain.
    pub(super) fn new(key: Option<Arc<ChainKey>>) -> Self {
        Self { seq: 0, hash: GENESIS_HASH.to_owned(), last_key_id: None, key }
    }

    /// Continues the chain after a record.
    pub(super) fn resume_after(link: ChainLink, key: Option<Arc<ChainKey>>) -> Self {
        Self { seq: link.seq, hash: link.hash, last_key_id: link.key, key }
    }

    /// Returns the key for the next record.
    pub(super) fn key(&self) -> Option<&ChainKey> {
        self.key.as_deref()
    }

    /// Returns the key change that the next record makes, if any.
    pub(super) fn pending_key_change(&self) -> Option<KeyChange> {
        let (from, to) = (self.last_key_id.clone(), self.key_id());
        (self.seq > 0 && from != to).then_some(KeyChange { from, to })
    }

    /// Returns the current head of the chain.
    pub(super) fn head(&self) -> ChainHead {
        ChainHead::new(self.seq, &self.hash, self.key())
    }

    fn key_id(&self) -> Option<String> {
        self.key().map(|key| key.id().to_owned())
    }

    /// Returns the line of the next record, including the line break, and the chain after it.
    pub(super) fn append(&self, record: &str) -> (String, Self) {
        let seq = self.seq + 1;
        let members = record.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let members = members.unwrap_or("\"kind\":\"unreadable\"");
        let mut line = match self.key() {
            Some(key) => format!("{{\"v\":{VERSION_KEYED},\"seq\":{seq},\"key\":\"{}\",", key.id()),
            None => format!("{{\"v\":{VERSION_UNKEYED},\"seq\":{seq},"),
        };
        let _ = write!(line, "{members},\"prev\":\"{}\"", self.hash);
        let parts = [line.as_bytes(), b"}"];
        let hash = self.key().map_or_else(|| sha256_hex(&parts), |key| key.record_mac(&parts));
        let _ = writeln!(line, ",\"hash\":\"{hash}\"}}");
        (line, Self { seq, hash, last_key_id: self.key_id(), key: self.key.clone() })
    }

    /// Returns the line of a notice and the chain after it.
    pub(super) fn append_notice(&self, reason: &str, lost: u64, torn: u64) -> (String, Self) {
        let rekeyed = self.pending_key_change();
        let notice = Notice { reason: reason.to_owned(), after: self.seq, lost, torn, rekeyed };
        let record = serde_json::json!({
            "kind": "begin",
            "time": Timestamp::now(),
            "server": concat!("octopus-mcp/", env!("CARGO_PKG_VERSION")),
            "begin": notice,
        });
        self.append(&record.to_string())
    }
}

/// The text between a record and its hash.
const HASH_FIELD: &[u8] = b",\"hash\":\"";
/// The length of a hash in hexadecimal digits.
const HASH_LENGTH: usize = 64;

/// Parses a line without its line break. The hash is not verified if the key of the record is not
/// in `keys`.
pub(super) fn parse_link(text: &[u8], keys: &KeyRing) -> Result<ChainLink, LinkError> {
    let split = || {
        let rest = text.strip_suffix(b"\"}")?;
        let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(HASH_LENGTH)?)?;
        let text = rest.strip_suffix(HASH_FIELD)?;
        Some((text, std::str::from_utf8(hash).ok()?))
    };
    let (text, written_hash) = split().ok_or(LinkError::Malformed)?;
    let parts = [text, b"}"];
    let is_plain = || sha256_hex(&parts) == written_hash;
    let Ok(mut link) = serde_json::from_slice::<ChainLink>(&parts.concat()) else {
        return Err(if is_plain() { LinkError::Malformed } else { LinkError::HashMismatch });
    };
    let is_whole = match (link.v, link.key.as_deref()) {
        (VERSION_UNKEYED, None) => is_plain(),
        (VERSION_KEYED, Some(id)) => {
            let Some(key) = keys.find(id) else {
                written_hash.clone_into(&mut link.hash);
                return Ok(link);
            };
            key.verify_record(&parts, written_hash)
        }
        _ => return Err(LinkError::Malformed),
    };
    if !is_whole {
        return Err(LinkError::HashMismatch);
    }
    written_hash.clone_into(&mut link.hash);
    link.is_checked = true;
    Ok(link)
}

fn sha256_hex(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    HEXLOWER.encode(&digest.finalize())
}

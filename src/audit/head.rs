//! Chain heads, which reveal a truncated file.
//!
//! A file alone does not show that its end was cut off. A head contains the sequence number and the
//! hash of the last record at one moment, signed with the key of the chain. The server writes heads
//! to its log and to the other audit outputs; [`ChainHead::find_all`] finds them in that text.

use std::fmt;

use jiff::Timestamp;

use super::key::ChainKey;

/// The head of a chain at one moment, written `audit-head:1:COUNT:HASH:TIME:KEY-ID:MAC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// The sequence number of the last record.
    pub count: u64,
    /// The hash of the last record.
    pub last: String,
    /// Creation time in seconds since 1970-01-01 UTC.
    pub time: i64,
    /// The key ID and the HMAC, if the chain has a key.
    pub signature: Option<(String, String)>,
}

/// The prefix of every head.
const PREFIX: &str = "audit-head:1:";
/// The key ID and HMAC of a head without a key.
const UNSIGNED: &str = "-";
/// The maximum number of heads read from one text.
const MAX_HEADS: usize = 100_000;

impl ChainHead {
    /// Creates the head of a chain. Signs it with the key, if any.
    pub fn new(count: u64, last: &str, key: Option<&ChainKey>) -> Self {
        let time = Timestamp::now().as_second();
        let mut head = Self { count, last: last.to_owned(), time, signature: None };
        head.signature =
            key.map(|key| (key.id().to_owned(), key.head_mac(&head.signed_text(key.id()))));
        head
    }

    /// Finds all heads in a text, such as a log. Returns at most 100,000.
    pub fn find_all(text: &str) -> Vec<Self> {
        text.match_indices(PREFIX)
            .filter_map(|(position, _)| Self::parse(text.get(position + PREFIX.len()..)?))
            .take(MAX_HEADS)
            .collect()
    }

    /// Parses the part of a head after its prefix.
    fn parse(rest: &str) -> Option<Self> {
        let is_of_it = |c: char| c.is_ascii_alphanumeric() || c == ':' || c == '-';
        let end = rest.find(|c| !is_of_it(c)).unwrap_or(rest.len());
        let mut parts = rest.get(..end)?.splitn(5, ':');
        let count = parts.next()?.parse().ok()?;
        let last = parts.next().filter(|hash| hash.len() == 64)?.to_owned();
        let time = parts.next()?.parse().ok()?;
        let (key, mac) = (parts.next()?, parts.next()?);
        let signature = (key != UNSIGNED).then(|| (key.to_owned(), mac.to_owned()));
        Some(Self { count, last, time, signature })
    }

    /// Returns whether the head was signed with this key.
    pub(super) fn is_signed_by(&self, key: &ChainKey) -> bool {
        self.signature
            .as_ref()
            .is_some_and(|(id, mac)| id == key.id() && key.verify_head(&self.signed_text(id), mac))
    }

    /// Returns the text that the signature covers.
    fn signed_text(&self, key: &str) -> String {
        let Self { count, last, time, .. } = self;
        format!("{PREFIX}{count}:{last}:{time}:{key}")
    }
}

impl fmt::Display for ChainHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.signature {
            Some((key, mac)) => write!(f, "{}:{mac}", self.signed_text(key)),
            None => write!(f, "{}:{UNSIGNED}", self.signed_text(UNSIGNED)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_heads_in_text_and_verifies_their_key() {
        let key = ChainKey::new(&"k".repeat(32)).unwrap();
        let other = ChainKey::new(&"o".repeat(32)).unwrap();
        let (signed, plain) = (
            ChainHead::new(7, &"a".repeat(64), Some(&key)),
            ChainHead::new(8, &"b".repeat(64), None),
        );
        let log = format!(
            "INFO head={signed} kept\n{{\"head\":\"{plain}\"}}\naudit-head:1:x audit-head:1:9:short:1:-:-"
        );
        assert_eq!(ChainHead::find_all(&log), [signed.clone(), plain.clone()]);
        assert!(signed.is_signed_by(&key) && !signed.is_signed_by(&other));
        assert!(!plain.is_signed_by(&key));
        for changed in [
            ChainHead { count: 6, ..signed.clone() },
            ChainHead { last: "c".repeat(64), ..signed.clone() },
            ChainHead { time: 0, ..signed.clone() },
        ] {
            assert!(!changed.is_signed_by(&key), "{changed}");
        }
    }
}

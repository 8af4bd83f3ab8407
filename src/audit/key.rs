//! Keys of audit chains.
//!
//! A key is a text of at least 32 characters, used without surrounding white space. For each output
//! (file, standard output, collector) two keys are derived from it with HMAC-SHA-256: one for
//! records and one for heads. A short fingerprint, the key ID, is derived too; each record contains
//! it, and it does not reveal the key. Because keys differ by output, the chain of one output does
//! not verify as the chain of another.

use std::{fmt, path::Path, sync::Arc};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::error::ChainKeyError;
use crate::config;

/// A key that authenticates the records and heads of a chain.
#[derive(Clone)]
pub struct ChainKey {
    root: Hmac<Sha256>,
    id: String,
    record_key: Hmac<Sha256>,
    head_key: Hmac<Sha256>,
}

/// An output of the audit log. Each output has its own chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum AuditOutput {
    /// The file `audit.file.path`, including rotated files.
    #[default]
    File,
    /// Standard output of one process.
    Stdout,
    /// The records that one process sent to the collector `audit.otlp.endpoint`.
    Collector,
}

/// The keys of a verification, by key ID.
#[derive(Debug, Clone, Default)]
pub struct KeyRing(Vec<Arc<ChainKey>>);

/// The minimum length of a key in bytes.
pub(super) const MIN_KEY_LENGTH: usize = 32;
/// The length of a key ID in bytes.
const ID_BYTES: usize = 8;

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainKey({})", self.id)
    }
}

impl PartialEq for ChainKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for ChainKey {}

impl ChainKey {
    /// Derives the keys of the file from a secret text.
    ///
    /// # Errors
    ///
    /// Returns an error if the text has fewer than 32 bytes.
    pub fn new(secret: &str) -> Result<Self, ChainKeyError> {
        let secret = secret.trim();
        if secret.len() < MIN_KEY_LENGTH {
            return Err(ChainKeyError::TooShort(secret.len()));
        }
        Self::derive_for(hmac(secret.as_bytes())?, AuditOutput::File)
    }

    fn derive_for(root: Hmac<Sha256>, output: AuditOutput) -> Result<Self, ChainKeyError> {
        let derive = |purpose: &str| {
            let label = format!("octopus-mcp audit {purpose} of {output} v1");
            root.clone().chain_update(label).finalize().into_bytes()
        };
        let mut id = HEXLOWER.encode(&derive("key ID"));
        id.truncate(2 * ID_BYTES);
        let (record_key, head_key) = (hmac(&derive("record"))?, hmac(&derive("head"))?);
        Ok(Self { root, id, record_key, head_key })
    }

    /// Derives the key of another output from the same secret text.
    ///
    /// # Errors
    ///
    /// Returns an error if the key cannot be derived.
    pub fn for_output(&self, output: AuditOutput) -> Result<Self, ChainKeyError> {
        Self::derive_for(self.root.clone(), output)
    }

    /// Reads a key from a file.
    ///
    /// # Errors
    ///
    /// Returns an error that names the file if it cannot be read or contains no valid key.
    pub fn from_file(path: &Path) -> Result<Self, ChainKeyError> {
        let read = std::fs::read_to_string(path).map_err(ChainKeyError::from);
        read.and_then(|text| Self::new(&text))
            .map_err(|error| ChainKeyError::File { path: path.to_owned(), error: Box::new(error) })
    }

    /// Returns the configured key, from `audit.chain_key` or `audit.chain_key_file`.
    ///
    /// # Errors
    ///
    /// Returns an error that names the setting if its key is invalid or cannot be read.
    pub fn from_config(settings: &config::AuditSettings) -> Result<Option<Self>, ChainKeyError> {
        let named =
            |setting| move |error| ChainKeyError::Setting { setting, error: Box::new(error) };
        if let Some(key) = &settings.chain_key {
            return Self::new(key.expose()).map(Some).map_err(named("audit.chain_key"));
        }
        let path = settings.chain_key_file.as_deref();
        path.map(Self::from_file).transpose().map_err(named("audit.chain_key_file"))
    }

    /// Returns the key ID: 16 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the HMAC of a record, in hexadecimal digits.
    pub(super) fn record_mac(&self, parts: &[&[u8]]) -> String {
        HEXLOWER.encode(&update_mac(&self.record_key, parts).finalize().into_bytes())
    }

    /// Compares the HMAC of a record with the given one in constant time.
    pub(super) fn verify_record(&self, parts: &[&[u8]], hash: &str) -> bool {
        decode_mac(hash)
            .is_some_and(|hash| update_mac(&self.record_key, parts).verify_slice(&hash).is_ok())
    }

    /// Returns the HMAC of a head, in hexadecimal digits.
    pub(super) fn head_mac(&self, head: &str) -> String {
        HEXLOWER.encode(&update_mac(&self.head_key, &[head.as_bytes()]).finalize().into_bytes())
    }

    /// Compares the HMAC of a head with the given one in constant time.
    pub(super) fn verify_head(&self, head: &str, mac: &str) -> bool {
        let computed = update_mac(&self.head_key, &[head.as_bytes()]);
        decode_mac(mac).is_some_and(|mac| computed.verify_slice(&mac).is_ok())
    }
}

impl KeyRing {
    /// Creates a key ring with these keys.
    pub fn new(keys: impl IntoIterator<Item = ChainKey>) -> Self {
        Self(keys.into_iter().map(Arc::new).collect())
    }

    /// Returns the key with this ID.
    pub(super) fn find(&self, id: &str) -> Option<&Arc<ChainKey>> {
        self.0.iter().find(|key| key.id == id)
    }

    /// Returns whether the key ring has no keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Option<Arc<ChainKey>>> for KeyRing {
    fn from(key: Option<Arc<ChainKey>>) -> Self {
        Self(key.into_iter().collect())
    }
}

/// Generates a key of 256 random bits: 64 hexadecimal digits.
///
/// # Errors
///
/// Returns an error if the operating system provides no random numbers.
pub fn generate_key() -> Result<String, ChainKeyError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    Ok(HEXLOWER.encode(&key))
}

fn hmac(key: &[u8]) -> Result<Hmac<Sha256>, ChainKeyError> {
    Ok(Hmac::new_from_slice(key)?)
}

fn update_mac(key: &Hmac<Sha256>, parts: &[&[u8]]) -> Hmac<Sha256> {
    parts.iter().fold(key.clone(), Mac::chain_update)
}

/// Decodes a MAC. Accepts lower case only, so that each record has exactly one valid encoding.
fn decode_mac(text: &str) -> Option<[u8; 32]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn two_keys() -> (ChainKey, ChainKey) {
        (ChainKey::new(SECRET).unwrap(), ChainKey::new(&SECRET.repeat(2)).unwrap())
    }

    #[test]
    fn key_id_does_not_reveal_the_key() {
        let (one, other) = two_keys();
        assert_eq!(
            ChainKey::new(&format!("{SECRET}\n")).unwrap(),
            one,
            "trailing white space is ignored"
        );
        assert_ne!(one, other);
        assert_eq!(one.id().len(), 16);
        assert!(!SECRET.contains(one.id()) && format!("{one:?}").len() == 26, "{one:?}");
    }

    #[test]
    fn macs_of_records_verify_with_their_key_only() {
        let (one, other) = two_keys();
        let hash = one.record_mac(&[b"a", b"b"]);
        assert!(
            one.verify_record(&[b"ab"], &hash)
                && !one.verify_record(&[b"ab"], &hash.to_uppercase())
        );
        assert!(!one.verify_record(&[b"ac"], &hash) && !other.verify_record(&[b"ab"], &hash));
        for wrong in ["", "zz", &hash[..62], &"é".repeat(32)] {
            assert!(!one.verify_record(&[b"ab"], wrong), "{wrong}");
        }
    }

    #[test]
    fn macs_differ_by_purpose_and_output() {
        let (one, _) = two_keys();
        let hash = one.record_mac(&[b"ab"]);
        // The MAC of a record is not valid for a head.
        assert!(one.verify_head("ab", &one.head_mac("ab")) && !one.verify_head("ab", &hash));
        // The records and heads of one output do not verify with the key of another.
        for output in [AuditOutput::Stdout, AuditOutput::Collector] {
            let stream = one.for_output(output).unwrap();
            assert_ne!(stream.id(), one.id());
            assert!(
                !stream.verify_record(&[b"ab"], &hash)
                    && !stream.verify_head("ab", &one.head_mac("ab"))
            );
        }
        assert_eq!(one.for_output(AuditOutput::File).unwrap().record_mac(&[b"ab"]), hash);
    }

    #[test]
    fn generated_keys_are_long_enough_and_differ() {
        assert!(ChainKey::new("short").unwrap_err().to_string().contains("at least 32"));
        assert_ne!(generate_key().unwrap(), generate_key().unwrap());
        assert!(ChainKey::new(&generate_key().unwrap()).is_ok());
    }
}

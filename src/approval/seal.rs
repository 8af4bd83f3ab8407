//! Sealed tokens: values that this server issued for one purpose, with an expiry.
//!
//! Tokens pass through untrusted parties: the client and the model. Sealing
//! authenticates a value, binds it to a purpose and limits its lifetime. It does not encrypt, so
//! tokens must not contain secrets. The codec is that of rmcp for `requestState` (SEP-2322), which
//! supports several keys.

use std::{fmt, time::Duration};

use rmcp::model::{RequestStateCodec, RequestStateError, SealOptions};

use crate::config;

/// Issues and verifies sealed tokens.
#[derive(Clone)]
pub struct Seal(std::sync::Arc<RequestStateCodec>);

/// Reason to reject a sealed token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsealError {
    /// The token was valid, but has expired.
    Expired,
    /// The token was issued for another purpose, or was modified.
    Invalid,
    /// The text is not a token, or its key is unknown: another process issued it.
    Unknown,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// Creates a sealer with `tools.seal_key`, which also accepts tokens of
    /// `tools.seal_key_previous`. Generates a random key if none is configured.
    pub fn from_config(tools: &config::ToolSettings) -> Result<Self, String> {
        let Some(key) = &tools.seal_key else {
            let mut key = [0; 32];
            getrandom::fill(&mut key)
                .map_err(|error| format!("generating a seal key failed: {error}"))?;
            return Self::new(&[&key]);
        };
        let mut keys = vec![key.expose().as_bytes()];
        keys.extend(tools.seal_key_previous.iter().map(|key| key.expose().as_bytes()));
        Self::new(&keys)
    }

    /// Seals with the first of these keys and accepts all of them. The key ID is a prefix of the
    /// key's digest, so replicas need no numbering of keys.
    fn new(keys: &[&[u8]]) -> Result<Self, String> {
        use sha2::{Digest, Sha256};
        let named: Vec<(String, Vec<u8>)> = keys
            .iter()
            .map(|key| {
                let digest = Sha256::new().chain_update(b"octopus-mcp seal").chain_update(key);
                let number =
                    digest.finalize().iter().take(3).fold(0, |n, b| n << 8 | u32::from(*b));
                (format!("{number:06x}"), key.to_vec())
            })
            .collect();
        let Some((first, _)) = named.first().cloned() else { return Err("no key".to_owned()) };
        let codec = RequestStateCodec::new_with_keyring(first, named)
            .map_err(|error| format!("tools.seal_key: {error}"))?;
        Ok(Self(std::sync::Arc::new(codec)))
    }

    /// Seals a value for one purpose. The token expires after `lifetime`.
    pub fn seal(&self, value: &[u8], purpose: &[u8], lifetime: Duration) -> String {
        let options = SealOptions::new().associated_data(purpose).ttl(lifetime);
        self.0.seal_with(value, &options)
    }

    /// Verifies a token that was sealed for this purpose, and returns its value.
    pub fn open(&self, sealed: &str, purpose: &[u8]) -> Result<Vec<u8>, UnsealError> {
        self.0.open_with(sealed, purpose).map_err(|error| match error {
            RequestStateError::Expired => UnsealError::Expired,
            RequestStateError::MalformedFormat
            | RequestStateError::InvalidEncoding
            | RequestStateError::InvalidKeyId
            | RequestStateError::UnknownKeyId => UnsealError::Unknown,
            _ => UnsealError::Invalid,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(5);

    fn seal(current: &str, previous: Option<&str>) -> Seal {
        let secret = |key: &str| config::Secret::from(key.repeat(32));
        Seal::from_config(&config::ToolSettings {
            seal_key: Some(secret(current)),
            seal_key_previous: previous.map(secret),
            ..config::ToolSettings::default()
        })
        .unwrap()
    }

    #[test]
    fn token_is_bound_to_purpose_key_and_lifetime() {
        let (ours, next, other) = (seal("a", None), seal("b", Some("a")), seal("c", None));
        let sealed = ours.seal(b"x", b"purpose", LONG);
        assert_eq!(ours.open(&sealed, b"purpose").unwrap(), b"x");
        assert_eq!(next.open(&sealed, b"purpose").unwrap(), b"x");
        assert_eq!(ours.open(&sealed, b"another"), Err(UnsealError::Invalid));
        assert_eq!(other.open(&sealed, b"purpose"), Err(UnsealError::Unknown));
        assert_eq!(ours.open(&next.seal(b"x", b"p", LONG), b"p"), Err(UnsealError::Unknown));
        assert_eq!(ours.open("yes", b"p"), Err(UnsealError::Unknown));
        let old = ours.seal(b"x", b"purpose", Duration::ZERO);
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(ours.open(&old, b"purpose"), Err(UnsealError::Expired));
        for index in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[index] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert!(ours.open(&changed, b"purpose").is_err(), "{changed}");
        }
    }

    #[test]
    fn generates_a_random_key_without_configuration() {
        let made = || Seal::from_config(&config::ToolSettings::default()).unwrap();
        let (one, two) = (made(), made());
        assert_eq!(two.open(&one.seal(b"x", b"p", LONG), b"p"), Err(UnsealError::Unknown));
    }
}

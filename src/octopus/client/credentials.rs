//! Credentials that authenticate callers to Octopus. Their secrets are never printed.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use data_encoding::HEXLOWER;
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Header that carries an API key (<https://octopus.com/docs/octopus-rest-api/getting-started>).
pub(in crate::octopus) static API_KEY_HEADER: HeaderName =
    HeaderName::from_static("x-octopus-apikey");

/// A credential for Octopus.
#[derive(Clone)]
pub struct Credentials {
    kind: CredentialType,
    secret: SecretString,
    fingerprint: Fingerprint,
    /// Whether the operator chose it.
    is_configured: bool,
    /// Whether Octopus has rejected it. Clones share this flag.
    is_rejected: Arc<AtomicBool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CredentialType {
    ApiKey,
    AccessToken,
    None,
}

/// SHA-256 that identifies a caller or a credential without revealing the secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Hashes these parts. Each part is prefixed with its length, so different splits give
    /// different fingerprints.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// Returns the fingerprint of this fingerprint and additional bytes.
    #[must_use]
    pub fn combined_with(&self, more: &[u8]) -> Self {
        Self::of([self.0.as_slice(), more])
    }

    /// Returns all 32 bytes, to bind data to a caller.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    /// Writes the first four bytes in hexadecimal: enough to distinguish callers in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third, fourth, ..] = self.0;
        HEXLOWER.encode_display(&[first, second, third, fourth]).fmt(f)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reason why a text is not a valid credential. Never contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCredential {
    /// The text is neither an API key nor an access token.
    #[error(
        "not an Octopus API key; API keys look like API-XXXXXXXXXXXXXXXXXXXXXXXXXX, with API or \
         another prefix"
    )]
    ApiKey,
    /// An access token was given instead of an API key.
    #[error("this looks like an access token; send it as `Authorization: Bearer <token>`")]
    TokenAsApiKey,
    /// An API key was given instead of an access token.
    #[error("this looks like an API key; send it as `X-Octopus-ApiKey: API-...`")]
    ApiKeyAsToken,
    /// The text is not an access token.
    #[error("not an Octopus access token; access tokens are ASCII text without spaces")]
    AccessToken,
}

/// Maximum length in bytes; API keys and access tokens of Octopus are shorter.
const MAX_LEN: usize = 16 * 1024;

/// Minimum length in bytes of an API key after a prefix other than `API-`. It rejects ordinary text
/// with a hyphen.
const MIN_KEY_LEN: usize = 16;

fn is_visible_ascii(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_LEN && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Credentials {
    /// Parses an API key: `API-` followed by letters and digits, or another prefix of letters and
    /// digits, `-`, and at least 16 letters, digits, `-` or `_`. Surrounding whitespace is ignored.
    ///
    /// No source lists the prefixes of Octopus, so that of an AI agent's key may differ.
    pub fn api_key(text: &str) -> Result<Self, InvalidCredential> {
        let text = text.trim();
        let is_key = match text.split_once('-') {
            _ if !is_visible_ascii(text) => false,
            Some(("API", rest)) => rest.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            Some((prefix, rest)) => {
                prefix.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
                    && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric())
                    && rest.len() >= MIN_KEY_LEN
                    && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            }
            None => false,
        };
        // Access tokens are JWTs, which can contain a hyphen as well.
        if text.starts_with("eyJ") {
            Err(InvalidCredential::TokenAsApiKey)
        } else if is_key {
            Ok(Self::new(CredentialType::ApiKey, text))
        } else {
            Err(InvalidCredential::ApiKey)
        }
    }

    /// Returns the access token if this is one.
    pub(in crate::octopus) fn as_access_token(&self) -> Option<&str> {
        (self.kind == CredentialType::AccessToken).then(|| self.secret.expose_secret())
    }

    /// Returns whether this is an API key that starts with `hint`.
    pub(in crate::octopus) fn api_key_starts_with(&self, hint: &str) -> bool {
        self.kind == CredentialType::ApiKey && self.secret.expose_secret().starts_with(hint)
    }

    /// Parses an access token, such as the token exchange of Octopus issues. Surrounding whitespace
    /// is ignored.
    pub fn access_token(text: &str) -> Result<Self, InvalidCredential> {
        let text = text.trim();
        if text.starts_with("API-") {
            Err(InvalidCredential::ApiKeyAsToken)
        } else if is_visible_ascii(text) {
            Ok(Self::new(CredentialType::AccessToken, text))
        } else {
            Err(InvalidCredential::AccessToken)
        }
    }

    /// Returns the absence of a credential, for endpoints that need no authentication.
    pub fn none() -> Self {
        Self::new(CredentialType::None, "")
    }

    fn new(kind: CredentialType, text: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update([kind as u8]);
        hash.update(text);
        Self {
            kind,
            secret: text.to_owned().into(),
            fingerprint: Fingerprint(hash.finalize().into()),
            is_configured: false,
            is_rejected: Arc::default(),
        }
    }

    /// Replaces the fingerprint. Exchanged tokens change every hour, so they are identified by
    /// their service account instead of their text.
    pub(in crate::octopus) fn with_fingerprint(self, fingerprint: Fingerprint) -> Self {
        Self { fingerprint, ..self }
    }

    /// Marks the credential as chosen by the operator: configured, of a group, or exchanged.
    pub(in crate::octopus) fn into_configured(self) -> Self {
        Self { is_configured: true, ..self }
    }

    /// Returns whether the operator chose it, so that no caller can have invented it.
    pub(in crate::octopus) fn is_configured(&self) -> bool {
        self.is_configured
    }

    /// Returns the secret, for sending it.
    pub(in crate::octopus) fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Records that Octopus no longer accepts it.
    pub(in crate::octopus) fn mark_rejected(&self) {
        self.is_rejected.store(true, Ordering::Relaxed);
    }

    /// Returns whether Octopus has rejected it.
    pub(in crate::octopus) fn is_rejected(&self) -> bool {
        self.is_rejected.load(Ordering::Relaxed)
    }

    /// Returns the fingerprint that represents this credential in cache keys and logs.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Returns the fingerprint of a caller together with this credential.
    pub(in crate::octopus) fn fingerprint_for(&self, caller: Fingerprint) -> Fingerprint {
        caller.combined_with(self.fingerprint.as_bytes())
    }

    /// Returns the type of the credential for messages, e.g. "API key".
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            CredentialType::ApiKey => "API key",
            CredentialType::AccessToken => "access token",
            CredentialType::None => "no credential",
        }
    }

    /// Returns the authentication header, marked as sensitive so that it is never printed. `None`
    /// without a credential.
    pub(in crate::octopus) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let secret = self.secret.expose_secret();
        let (name, value) = match self.kind {
            CredentialType::ApiKey => (API_KEY_HEADER.clone(), HeaderValue::from_str(secret)),
            CredentialType::AccessToken => {
                (AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {secret}")))
            }
            CredentialType::None => return None,
        };
        let mut value = value.ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.type_name(), self.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_malformed_credentials() {
        for key in [" API-ABC123 ", "AGENT-0123456789ABCDEFGHIJ", "OctoAI-0123456789_abcd-efghij"] {
            assert!(Credentials::api_key(key).is_ok(), "{key}");
        }
        assert!(Credentials::access_token("eyJhbGciOi.J9.x_y-z").is_ok());
        for (text, expected) in [
            ("", InvalidCredential::ApiKey),
            ("ABC", InvalidCredential::ApiKey),
            ("not-a-key", InvalidCredential::ApiKey),
            ("-0123456789ABCDEFGHIJ", InvalidCredential::ApiKey),
            ("AGENT-0123456789ABC\u{e4}EFGHIJ", InvalidCredential::ApiKey),
            ("API-AB C", InvalidCredential::ApiKey),
            ("API-A\r\nX: y", InvalidCredential::ApiKey),
            ("eyJhbGciOi.J9.x", InvalidCredential::TokenAsApiKey),
        ] {
            assert_eq!(Credentials::api_key(text).unwrap_err(), expected, "{text:?}");
        }
        assert_eq!(
            Credentials::access_token("API-ABC").unwrap_err(),
            InvalidCredential::ApiKeyAsToken
        );
        assert_eq!(Credentials::access_token("a b").unwrap_err(), InvalidCredential::AccessToken);
    }

    #[test]
    fn debug_output_contains_no_secret() {
        let credentials = Credentials::api_key("API-TOPSECRET").unwrap();
        let (_, header) = credentials.header().unwrap();
        assert!(!format!("{credentials:?} {header:?}").contains("TOPSECRET"));
    }

    #[test]
    fn different_credentials_have_different_fingerprints() {
        let fingerprint = |text| Credentials::api_key(text).unwrap().fingerprint();
        assert_eq!(fingerprint("API-A"), fingerprint(" API-A"));
        assert_ne!(fingerprint("API-A"), fingerprint("API-B"));
        assert_ne!(
            Credentials::access_token("AB").unwrap().fingerprint(),
            Credentials::new(CredentialType::ApiKey, "AB").fingerprint()
        );
    }
}

//! Credentials that authenticate callers to Octopus. Their secrets are never printed.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{HeaderName, HeaderValue, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Header that carries an API key (<https://octopus.com/docs/octopus-rest-api/getting-started>).
pub(super) static API_KEY: HeaderName = HeaderName::from_static("x-octopus-apikey");

/// A credential for Octopus.
#[derive(Clone)]
pub struct Credentials {
    kind: Kind,
    secret: SecretString,
    fingerprint: Fingerprint,
    /// Whether the operator chose it.
    is_configured: bool,
    /// Whether Octopus has rejected it. Clones share this flag.
    refused: Arc<AtomicBool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ApiKey,
    AccessToken,
    Nobody,
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
    pub fn and(&self, more: &[u8]) -> Self {
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
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not a valid credential. Never contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCredential {
    /// The text is neither an API key nor an access token.
    #[error("not an Octopus API key; API keys look like API-XXXXXXXXXXXXXXXXXXXXXXXXXX")]
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
const LONGEST: usize = 16 * 1024;

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Credentials {
    /// Parses an API key: `API-` followed by letters and digits. Surrounding whitespace is ignored.
    pub fn api_key(text: &str) -> Result<Self, BadCredential> {
        let text = text.trim();
        match text.strip_prefix("API-") {
            Some(rest) if is_word(text) && rest.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                Ok(Self::new(Kind::ApiKey, text))
            }
            None if text.starts_with("eyJ") => Err(BadCredential::TokenAsApiKey),
            _ => Err(BadCredential::ApiKey),
        }
    }

    /// Returns the access token if this is one.
    pub(super) fn token(&self) -> Option<&str> {
        (self.kind == Kind::AccessToken).then(|| self.secret.expose_secret())
    }

    /// Returns whether this is an API key that starts with `hint`.
    pub(super) fn begins_with(&self, hint: &str) -> bool {
        self.kind == Kind::ApiKey && self.secret.expose_secret().starts_with(hint)
    }

    /// Parses an access token, such as the token exchange of Octopus issues. Surrounding whitespace
    /// is ignored.
    pub fn access_token(text: &str) -> Result<Self, BadCredential> {
        let text = text.trim();
        if text.starts_with("API-") {
            Err(BadCredential::ApiKeyAsToken)
        } else if is_word(text) {
            Ok(Self::new(Kind::AccessToken, text))
        } else {
            Err(BadCredential::AccessToken)
        }
    }

    /// Returns the absence of a credential, for endpoints that need no authentication.
    pub fn nobody() -> Self {
        Self::new(Kind::Nobody, "")
    }

    fn new(kind: Kind, text: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update([kind as u8]);
        hash.update(text);
        Self {
            kind,
            secret: text.to_owned().into(),
            fingerprint: Fingerprint(hash.finalize().into()),
            is_configured: false,
            refused: Arc::default(),
        }
    }

    /// Replaces the fingerprint. Exchanged tokens change every hour, so they are identified by
    /// their service account instead of their text.
    pub(super) fn known_as(self, fingerprint: Fingerprint) -> Self {
        Self { fingerprint, ..self }
    }

    /// Marks the credential as chosen by the operator: configured, of a group, or exchanged.
    pub(super) fn configured(self) -> Self {
        Self { is_configured: true, ..self }
    }

    /// Returns whether the operator chose it, so that no caller can have invented it.
    pub(super) fn is_configured(&self) -> bool {
        self.is_configured
    }

    /// Returns the secret, for sending it.
    pub(super) fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Records that Octopus no longer accepts it.
    pub(super) fn refused(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// Returns whether Octopus has rejected it.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Returns the fingerprint that represents this credential in cache keys and logs.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Returns the type of the credential for messages, e.g. "API key".
    pub fn kind(&self) -> &'static str {
        match self.kind {
            Kind::ApiKey => "API key",
            Kind::AccessToken => "access token",
            Kind::Nobody => "no credential",
        }
    }

    /// Returns the authentication header, marked as sensitive so that it is never printed. `None`
    /// without a credential.
    pub(super) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let secret = self.secret.expose_secret();
        let (name, value) = match self.kind {
            Kind::ApiKey => (API_KEY.clone(), HeaderValue::from_str(secret)),
            Kind::AccessToken => {
                (AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {secret}")))
            }
            Kind::Nobody => return None,
        };
        let mut value = value.ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_octopus_could_have_made_is_taken() {
        assert!(Credentials::api_key(" API-ABC123 ").is_ok());
        assert!(Credentials::access_token("eyJhbGciOi.J9.x_y-z").is_ok());
        for (text, why) in [
            ("", BadCredential::ApiKey),
            ("ABC", BadCredential::ApiKey),
            ("API-AB C", BadCredential::ApiKey),
            ("API-A\r\nX: y", BadCredential::ApiKey),
            ("eyJhbGciOi.J9.x", BadCredential::TokenAsApiKey),
        ] {
            assert_eq!(Credentials::api_key(text).unwrap_err(), why, "{text:?}");
        }
        assert_eq!(Credentials::access_token("API-ABC").unwrap_err(), BadCredential::ApiKeyAsToken);
        assert_eq!(Credentials::access_token("a b").unwrap_err(), BadCredential::AccessToken);
    }

    #[test]
    fn a_credential_is_never_printed() {
        let credentials = Credentials::api_key("API-TOPSECRET").unwrap();
        let (_, header) = credentials.header().unwrap();
        assert!(!format!("{credentials:?} {header:?}").contains("TOPSECRET"));
    }

    #[test]
    fn fingerprints_tell_credentials_apart() {
        let fingerprint = |text| Credentials::api_key(text).unwrap().fingerprint();
        assert_eq!(fingerprint("API-A"), fingerprint(" API-A"));
        assert_ne!(fingerprint("API-A"), fingerprint("API-B"));
        assert_ne!(
            Credentials::access_token("AB").unwrap().fingerprint(),
            Credentials::new(Kind::ApiKey, "AB").fingerprint()
        );
    }
}

//! A local authorization server for tests, and its signing keys.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use octopus_mcp::{
    config::{AuthMode, AuthModes, Config, DurationSetting, IssuerSettings, ListSetting, Secret},
    http::{Certificates, Listening},
};
use octopus_sample::keys;
use rcgen::{KeyPair, RsaKeySize};
use serde_json::{Value, json};

use crate::support::serve_with;

/// Audience of the tokens.
pub const AUDIENCE: &str = "api://octopus-mcp";

/// A signing key of an issuer.
pub struct Signer {
    pub id: String,
    pub algorithm: Algorithm,
    pub key: EncodingKey,
}

impl Signer {
    /// Generates an ES256 key, because that is fast.
    pub fn new(id: &str) -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let key = EncodingKey::from_ec_der(pair.serialized_der());
        Self { id: id.to_owned(), algorithm: Algorithm::ES256, key }
    }

    pub fn es384(id: &str) -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let key = EncodingKey::from_ec_der(pair.serialized_der());
        Self { id: id.to_owned(), algorithm: Algorithm::ES384, key }
    }

    pub fn ed25519(id: &str) -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        // `jsonwebtoken` expects PKCS#8 version 1, which has no public key at the end.
        let mut der = pair.serialized_der()[..48].to_vec();
        (der[1], der[4]) = (46, 0);
        let key = EncodingKey::from_ed_der(&der);
        Self { id: id.to_owned(), algorithm: Algorithm::EdDSA, key }
    }

    pub fn rsa(id: &str, algorithm: Algorithm) -> Self {
        let pair = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        // `jsonwebtoken` expects PKCS#1, which starts after a PKCS#8 header of 26 bytes.
        let key = EncodingKey::from_rsa_der(&pair.serialized_der()[26..]);
        Self { id: id.to_owned(), algorithm, key }
    }

    /// Returns the public key as a JWK.
    pub fn public_jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        jwk["kid"] = json!(self.id);
        jwk["use"] = json!("sig");
        jwk
    }

    /// Signs a token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(claims, |_| {})
    }

    /// Signs a token with these claims and a changed header.
    pub fn sign_with(&self, claims: &Value, change: impl FnOnce(&mut Header)) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.id.clone());
        change(&mut header);
        encode(&header, claims, &self.key).unwrap()
    }
}

/// Encodes a token with an arbitrary signature.
pub fn encode_token(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Behavior of the issuer's key endpoint.
#[derive(Clone)]
pub enum KeyEndpoint {
    Normal,
    Unavailable,
    Hangs,
    /// Sends a body without end.
    Endless,
    /// Sends this text.
    Text(String),
    /// Redirects to this URL.
    Redirect(String),
}

struct IssuerState {
    keys: Mutex<Vec<Value>>,
    metadata: Mutex<Value>,
    key_endpoint: Mutex<KeyEndpoint>,
    key_requests: AtomicUsize,
    metadata_requests: AtomicUsize,
}

/// A running authorization server.
pub struct TestIssuer {
    pub url: String,
    shared: Arc<IssuerState>,
    _listening: Listening,
}

impl TestIssuer {
    /// Starts an issuer that publishes these keys.
    pub fn start(signers: &[&Signer]) -> Self {
        Self::start_with(signers, None)
    }

    /// Starts an issuer with TLS; the certificate is for `localhost`.
    pub fn start_tls(signers: &[&Signer], certificates: &Certificates) -> Self {
        Self::start_with(signers, Some(certificates))
    }

    fn start_with(signers: &[&Signer], certificates: Option<&Certificates>) -> Self {
        let shared = Arc::new(IssuerState {
            keys: Mutex::default(),
            metadata: Mutex::default(),
            key_endpoint: Mutex::new(KeyEndpoint::Normal),
            key_requests: AtomicUsize::new(0),
            metadata_requests: AtomicUsize::new(0),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(serve_metadata))
            .route("/keys", get(serve_keys))
            .with_state(Arc::clone(&shared));
        let listening = serve_with(router, certificates);
        let port = listening.address.port();
        let url = match certificates {
            None => format!("http://127.0.0.1:{port}"),
            Some(_) => format!("https://localhost:{port}"),
        };
        let issuer = Self { url, shared, _listening: listening };
        issuer.publish_keys(signers);
        issuer.publish_metadata(json!({
            "issuer": issuer.url,
            "jwks_uri": format!("{}/keys", issuer.url),
            "authorization_endpoint": format!("{}/authorize", issuer.url),
        }));
        issuer
    }

    /// Replaces the published keys.
    pub fn publish_keys(&self, signers: &[&Signer]) {
        self.publish_jwks(signers.iter().map(|signer| signer.public_jwk()).collect());
    }

    pub fn publish_jwks(&self, keys: Vec<Value>) {
        *self.shared.keys.lock().unwrap() = keys;
    }

    pub fn publish_metadata(&self, description: Value) {
        *self.shared.metadata.lock().unwrap() = description;
    }

    pub fn set_key_endpoint(&self, mood: KeyEndpoint) {
        *self.shared.key_endpoint.lock().unwrap() = mood;
    }

    /// Returns the number of requests for keys and for metadata.
    pub fn request_counts(&self) -> (usize, usize) {
        let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        (of(&self.shared.key_requests), of(&self.shared.metadata_requests))
    }

    /// Returns valid claims.
    pub fn claims(&self) -> Value {
        json!({
            "iss": self.url,
            "sub": "7c1f0b52",
            "aud": AUDIENCE,
            "iat": now(),
            "exp": now() + 600,
            "scope": "openid octopus:read",
            "preferred_username": "maria.gomez",
        })
    }

    /// Returns valid claims with changes; `null` removes a claim.
    pub fn claims_with(&self, change: &Value) -> Value {
        let mut claims = self.claims();
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        claims
    }

    /// Returns the issuer settings that trust this issuer.
    pub fn settings(&self) -> IssuerSettings {
        IssuerSettings {
            issuer: self.url.clone(),
            audiences: ListSetting(vec![AUDIENCE.to_owned()]),
            ..IssuerSettings::default()
        }
    }

    /// Configures a server to trust this issuer and to use a configured Octopus API key.
    pub fn configure(&self, config: &mut Config) {
        config.auth.mode = Some(AuthModes(vec![AuthMode::Oauth]));
        config.auth.oauth.issuers.push(self.settings());
        config.auth.oauth.timeout = DurationSetting(std::time::Duration::from_secs(5));
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    }
}

async fn serve_metadata(State(shared): State<Arc<IssuerState>>) -> Response {
    shared.metadata_requests.fetch_add(1, Ordering::SeqCst);
    let described = shared.metadata.lock().unwrap().clone();
    Json(described).into_response()
}

async fn serve_keys(State(shared): State<Arc<IssuerState>>) -> Response {
    shared.key_requests.fetch_add(1, Ordering::SeqCst);
    let mood = shared.key_endpoint.lock().unwrap().clone();
    match mood {
        KeyEndpoint::Normal => {
            let keys = shared.keys.lock().unwrap().clone();
            Json(json!({ "keys": keys })).into_response()
        }
        KeyEndpoint::Unavailable => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        KeyEndpoint::Hangs => std::future::pending().await,
        KeyEndpoint::Endless => {
            let piece = Bytes::from(vec![b' '; 16 * 1024]);
            let pieces = futures::stream::repeat(Ok::<_, std::convert::Infallible>(piece));
            Body::from_stream(pieces).into_response()
        }
        KeyEndpoint::Text(text) => text.into_response(),
        KeyEndpoint::Redirect(location) => {
            (StatusCode::FOUND, [("location", location)], String::new()).into_response()
        }
    }
}

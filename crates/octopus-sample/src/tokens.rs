//! OIDC token exchange (RFC 8693): an access token of a service account for a JWT.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use http::{Method, StatusCode};
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value, json};

use super::Instance;
use super::keys;
use super::random::token;
use super::request_body::RequestBody;
use super::response::{ApiError, ApiResponse};
use super::users::{self, User};
use super::version::Feature;

/// Access tokens that were issued in token exchanges.
#[derive(Debug)]
pub struct Tokens {
    state: Mutex<TokenState>,
}

#[derive(Debug)]
struct TokenState {
    /// Lifetime of the next token.
    lifetime: Duration,
    /// Expiry of each token.
    issued: BTreeMap<String, Instant>,
    count: usize,
}

impl Default for Tokens {
    fn default() -> Self {
        let lifetime = Duration::from_hours(1);
        Self { state: Mutex::new(TokenState { lifetime, issued: BTreeMap::new(), count: 0 }) }
    }
}

impl Tokens {
    /// Sets the lifetime of new tokens in whole seconds (default: one hour).
    pub fn set_lifetime(&self, time: Duration) {
        self.locked().lifetime = time;
    }

    /// Revokes all issued tokens.
    pub fn revoke(&self) {
        self.locked().issued.clear();
    }

    /// Returns the number of issued tokens.
    #[must_use]
    pub fn issued(&self) -> usize {
        self.locked().count
    }

    /// Returns the user of a valid token.
    pub(super) fn user(&self, token: &str) -> Option<&'static User> {
        let end = *self.locked().issued.get(token)?;
        if Instant::now() < end { User::with_id(users::SERVICE_ACCOUNT) } else { None }
    }

    /// Issues a token. Returns it with its lifetime in seconds.
    fn issue(&self) -> (String, u64) {
        let mut state = self.locked();
        state.count += 1;
        let made = token(&format!("exchanged/{}", state.count), 48);
        let end = Instant::now() + state.lifetime;
        state.issued.insert(made.clone(), end);
        (made, state.lifetime.as_secs())
    }

    fn locked(&self) -> MutexGuard<'_, TokenState> {
        self.state.lock()
    }
}

/// Answers the paths of the token exchange; `None` for all other paths.
pub(super) fn answer(
    instance: &Instance,
    parts: &Parts,
    address: &str,
    input: &RequestBody,
) -> Option<ApiResponse> {
    let path = parts.uri.path().to_ascii_lowercase();
    let is_post = parts.method == Method::POST;
    if !instance.version().has(Feature::TokenExchange) {
        return None;
    }
    Some(match path.as_str() {
        "/.well-known/openid-configuration" => ApiResponse::value(&json!({
            "issuer": address,
            "token_endpoint": format!("{address}/token/v1"),
            "jwks_uri": format!("{address}/.well-known/jwks"),
        })),
        "/.well-known/jwks" => ApiResponse::value(&json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "sample", "e": "AQAB",
            "n": token("sample/jwks", 342),
        }] })),
        "/token/v1" | "/api/token/v1" if is_post => {
            exchange(instance, input).unwrap_or_else(|reason| rejected(instance, &reason))
        }
        "/token/v1" | "/api/token/v1" => ApiError::NoMethod(parts.method.to_string()).into(),
        _ => return None,
    })
}

fn exchange(instance: &Instance, input: &RequestBody) -> Result<ApiResponse, String> {
    let kind = "urn:ietf:params:oauth:token-type:jwt";
    if input.text("grant_type") != Some("urn:ietf:params:oauth:grant-type:token-exchange") {
        return Err("The grant type is not supported.".to_owned());
    }
    if input.text("subject_token_type") != Some(kind) {
        return Err("The type of the subject token is not supported.".to_owned());
    }
    if input.text("audience") != Some(keys::SERVICE_ACCOUNT) {
        return Err("No service account has an OIDC identity with this audience.".to_owned());
    }
    let claims = input.text("subject_token").and_then(claims);
    let claims = claims.ok_or("The subject token is not a JWT.")?;
    if claims
        .get("sub")
        .and_then(Value::as_str)
        .is_none_or(|subject| subject.starts_with("stranger"))
    {
        return Err("No OIDC identity matches the subject token.".to_owned());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if claims.get("exp").and_then(Value::as_u64).is_some_and(|end| end <= now) {
        return Err("The subject token has expired.".to_owned());
    }
    let (made, seconds) = instance.tokens.issue();
    let is_new = instance.version().has(Feature::OauthErrors);
    Ok(ApiResponse::value(&json!({
        "access_token": made, "issued_token_type": kind, "token_type": "Bearer",
        "expires_in": if is_new { json!(seconds.to_string()) } else { json!(seconds) },
    })))
}

/// Returns the claims of a JWT. The sample does not verify signatures.
fn claims(jwt: &str) -> Option<Value> {
    let mut parts = jwt.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn rejected(instance: &Instance, reason: &str) -> ApiResponse {
    if instance.version().has(Feature::OauthErrors) {
        let body = json!({ "error": "invalid_request", "error_description": reason });
        ApiResponse { status: StatusCode::BAD_REQUEST, ..ApiResponse::value(&body) }
    } else {
        ApiError::BadRequest(reason.to_owned()).into()
    }
}

/// Masks the subject token of a body, for the journal.
pub(super) fn without_subject(mut body: Value) -> Value {
    if let Some(subject) = body.get_mut("subject_token") {
        *subject = json!("********");
    }
    body
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::test_client::{send, send_as};
    use super::super::{Sample, keys};
    use super::*;

    fn jwt(claims: &Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    fn body(audience: &str, subject: &str) -> Value {
        json!({
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "audience": audience, "subject_token": subject,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        })
    }

    #[tokio::test]
    async fn exchanges_token_for_service_account_token() {
        let sample = Sample::new();
        let good = body(keys::SERVICE_ACCOUNT, &jwt(&json!({ "sub": "ci" })));
        let (status, issued) = send_as(&sample, "", "POST", "token/v1", good).await;
        assert_eq!((status, &issued["expires_in"]), (200, &json!("3600")), "{issued}");
        let token = issued["access_token"].as_str().unwrap();
        assert_eq!(sample.tokens().user(token).map(|user| user.id), Some("Users-62"));
        assert_eq!(sample.changes(), []);
        assert_eq!(sample.journal()[0].body.as_ref().unwrap()["subject_token"], "********");
        sample.tokens().revoke();
        assert!(sample.tokens().user(token).is_none());
    }

    #[tokio::test]
    async fn exchange_errors_have_the_format_of_the_version() {
        let expired = jwt(&json!({ "sub": "ci", "exp": 1 }));
        let stranger = jwt(&json!({ "sub": "stranger" }));
        for (sample, key) in [
            (Sample::new(), "error_description"),
            (Sample::with_version("2024.4.6962"), "ErrorMessage"),
        ] {
            for (audience, subject) in [
                ("nobody", jwt(&json!({ "sub": "ci" }))),
                (keys::SERVICE_ACCOUNT, "nonsense".to_owned()),
                (keys::SERVICE_ACCOUNT, expired.clone()),
                (keys::SERVICE_ACCOUNT, stranger.clone()),
            ] {
                let (status, body) =
                    send(&sample, "POST", "token/v1", body(audience, &subject)).await;
                assert_eq!(status, 400, "{body}");
                assert!(body[key].is_string(), "{body}");
            }
        }
        let old = Sample::with_version("2023.3.1");
        let good = body(keys::SERVICE_ACCOUNT, &jwt(&json!({ "sub": "ci" })));
        assert_eq!(send(&old, "POST", "token/v1", good).await.0, 404);
    }
}

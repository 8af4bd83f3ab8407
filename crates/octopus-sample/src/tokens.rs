//! The exchange of a token for an access token of a service account, as OIDC clients do it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Instance;
use super::answer::{Answer, Refusal};
use super::dice::token;
use super::keys;
use super::order::Order;
use super::users::{self, User};
use super::version::Since;

/// The access tokens that were given for others.
#[derive(Debug)]
pub struct Tokens {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How long the next one is good for.
    good_for: Duration,
    /// When each ends.
    given: BTreeMap<String, Instant>,
    count: usize,
}

impl Default for Tokens {
    fn default() -> Self {
        let good_for = Duration::from_hours(1);
        Self { state: Mutex::new(State { good_for, given: BTreeMap::new(), count: 0 }) }
    }
}

impl Tokens {
    /// From now on tokens are good for so long, in whole seconds. At first it is an hour.
    pub fn live_for(&self, time: Duration) {
        self.locked().good_for = time;
    }

    /// Ends all that were given.
    pub fn revoke(&self) {
        self.locked().given.clear();
    }

    /// How many were given so far.
    #[must_use]
    pub fn given(&self) -> usize {
        self.locked().count
    }

    /// The user that a token stands for, while it is good.
    pub(super) fn user(&self, token: &str) -> Option<&'static User> {
        let end = *self.locked().given.get(token)?;
        if Instant::now() < end { User::with_id(users::SERVICE_ACCOUNT) } else { None }
    }

    /// Makes one, and says for how many seconds it is good.
    fn give(&self) -> (String, u64) {
        let mut state = self.locked();
        state.count += 1;
        let made = token(&format!("exchanged/{}", state.count), 48);
        let end = Instant::now() + state.good_for;
        state.given.insert(made.clone(), end);
        (made, state.good_for.as_secs())
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer on a path that has to do with tokens; `None` on every other.
pub(super) fn answer(
    instance: &Instance,
    parts: &Parts,
    address: &str,
    order: &Order,
) -> Option<Answer> {
    let path = parts.uri.path().to_ascii_lowercase();
    let is_post = parts.method == Method::POST;
    if !instance.version.has(Since::TokenExchange) {
        return None;
    }
    Some(match path.as_str() {
        "/.well-known/openid-configuration" => Answer::value(&json!({
            "issuer": address,
            "token_endpoint": format!("{address}/token/v1"),
            "jwks_uri": format!("{address}/.well-known/jwks"),
        })),
        "/.well-known/jwks" => Answer::value(&json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "sample", "e": "AQAB",
            "n": token("sample/jwks", 342),
        }] })),
        "/token/v1" | "/api/token/v1" if is_post => {
            exchange(instance, order).unwrap_or_else(|why| refused(instance, &why))
        }
        "/token/v1" | "/api/token/v1" => Refusal::NoMethod(parts.method.to_string()).into(),
        _ => return None,
    })
}

fn exchange(instance: &Instance, order: &Order) -> Result<Answer, String> {
    let kind = "urn:ietf:params:oauth:token-type:jwt";
    if order.text("grant_type") != Some("urn:ietf:params:oauth:grant-type:token-exchange") {
        return Err("The grant type is not supported.".to_owned());
    }
    if order.text("subject_token_type") != Some(kind) {
        return Err("The type of the subject token is not supported.".to_owned());
    }
    if order.text("audience") != Some(keys::SERVICE_ACCOUNT) {
        return Err("No service account has an OIDC identity with this audience.".to_owned());
    }
    let claims = order.text("subject_token").and_then(claims);
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
    let (made, seconds) = instance.tokens.give();
    let is_new = instance.version.has(Since::OauthErrors);
    Ok(Answer::value(&json!({
        "access_token": made, "issued_token_type": kind, "token_type": "Bearer",
        "expires_in": if is_new { json!(seconds.to_string()) } else { json!(seconds) },
    })))
}

/// What a JWT says; its signature is nobody's here.
fn claims(jwt: &str) -> Option<Value> {
    let mut parts = jwt.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn refused(instance: &Instance, why: &str) -> Answer {
    if instance.version.has(Since::OauthErrors) {
        let body = json!({ "error": "invalid_request", "error_description": why });
        Answer { status: StatusCode::BAD_REQUEST, ..Answer::value(&body) }
    } else {
        Refusal::BadRequest(why.to_owned()).into()
    }
}

/// A body for the journal, without the token that came to be exchanged.
pub(super) fn without_subject(mut body: Value) -> Value {
    if let Some(subject) = body.get_mut("subject_token") {
        *subject = json!("********");
    }
    body
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::asking::{ask, ask_with};
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
    async fn a_token_is_exchanged_for_one_that_acts_as_the_service_account() {
        let sample = Sample::new();
        let good = body(keys::SERVICE_ACCOUNT, &jwt(&json!({ "sub": "ci" })));
        let (status, given) = ask_with(&sample, "", "POST", "token/v1", good).await;
        assert_eq!((status, &given["expires_in"]), (200, &json!("3600")), "{given}");
        let token = given["access_token"].as_str().unwrap();
        assert_eq!(sample.tokens().user(token).map(|user| user.id), Some("Users-62"));
        assert_eq!(sample.changes(), []);
        assert_eq!(sample.journal()[0].body.as_ref().unwrap()["subject_token"], "********");
        sample.tokens().revoke();
        assert!(sample.tokens().user(token).is_none());
    }

    #[tokio::test]
    async fn what_is_refused_is_told_in_the_shape_of_the_version() {
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
                let (status, said) =
                    ask(&sample, "POST", "token/v1", body(audience, &subject)).await;
                assert_eq!(status, 400, "{said}");
                assert!(said[key].is_string(), "{said}");
            }
        }
        let old = Sample::with_version("2023.3.1");
        let good = body(keys::SERVICE_ACCOUNT, &jwt(&json!({ "sub": "ci" })));
        assert_eq!(ask(&old, "POST", "token/v1", good).await.0, 404);
    }
}

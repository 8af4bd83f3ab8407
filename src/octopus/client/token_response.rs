//! Requests and responses of Octopus's token endpoint
//! (<https://octopus.com/docs/octopus-rest-api/openid-connect>). Neither is ever printed.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{credentials::Credentials, response::RawResponse};

/// Lifetime in seconds if the response contains none.
const DEFAULT_LIFETIME_SECS: u64 = 300;
/// Maximum lifetime in seconds.
const MAX_LIFETIME_SECS: u32 = 24 * 60 * 60;
/// Tokens are renewed this long before their expiry, or at a tenth of their lifetime if that is
/// shorter.
const RENEWAL_MARGIN: Duration = Duration::from_mins(1);

/// An issued access token.
pub(in crate::octopus) struct IssuedToken {
    pub(in crate::octopus) credentials: Credentials,
    /// Time until its renewal.
    pub(in crate::octopus) valid_for: Duration,
}

/// Lifetime in seconds: a number or a text, depending on the version.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

/// Body of the response. `issued_token_type` is ignored, because its value changed between
/// versions.
#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Seconds>,
}

/// Builds the body of an OAuth 2.0 token exchange request (RFC 8693). `audience` is the ID of the
/// service account's OIDC identity; `subject` is the JWT to exchange.
pub(in crate::octopus) fn exchange_request(audience: &str, subject: &SecretString) -> Value {
    json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": audience,
        "subject_token": subject.expose_secret(),
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    })
}

impl IssuedToken {
    /// Parses the response. Returns `None` on failure, because serde's error message could contain
    /// the token.
    pub(in crate::octopus) fn read(response: &RawResponse) -> Option<Self> {
        let body: TokenResponse = serde_json::from_slice(&response.body).ok()?;
        if !body.token_type.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return None;
        }
        let seconds = match body.expires_in {
            None => Some(DEFAULT_LIFETIME_SECS),
            Some(Seconds::Number(number)) => {
                Duration::try_from_secs_f64(number.min(MAX_LIFETIME_SECS.into()))
                    .ok()
                    .map(|d| d.as_secs())
            }
            Some(Seconds::Text(text)) => text.trim().parse().ok(),
        };
        let whole = Duration::from_secs(
            seconds.unwrap_or(DEFAULT_LIFETIME_SECS).min(MAX_LIFETIME_SECS.into()),
        );
        let credentials = Credentials::access_token(&body.access_token).ok()?;
        Some(Self {
            credentials,
            valid_for: whole.saturating_sub((whole / 10).min(RENEWAL_MARGIN)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Option<u128> {
        let body = body.to_string().into();
        let response = RawResponse { content_type: "application/json".to_owned(), body };
        IssuedToken::read(&response).map(|issued| issued.valid_for.as_millis())
    }

    #[test]
    fn token_is_renewed_before_its_expiry() {
        for (expires, millis) in [
            (json!(3600), 3_540_000),
            (json!("3600"), 3_540_000),
            (json!(3600.0), 3_540_000),
            (json!("10"), 9_000),
            (json!(null), 270_000),
            (json!("soon"), 270_000),
            (json!(-1), 270_000),
            (json!(0), 0),
            (json!(u64::MAX), 86_340_000),
        ] {
            let body =
                json!({ "access_token": "abc", "token_type": "Bearer", "expires_in": expires });
            assert_eq!(read(&body), Some(millis), "{expires}");
        }
        assert_eq!(read(&json!({ "access_token": "abc" })), Some(270_000));
    }

    #[test]
    fn rejects_responses_without_a_bearer_token() {
        for body in [
            json!({}),
            json!([]),
            json!({ "access_token": 5 }),
            json!({ "access_token": "" }),
            json!({ "access_token": "a b" }),
            json!({ "access_token": "abc", "token_type": "DPoP" }),
        ] {
            assert_eq!(read(&body), None, "{body}");
        }
    }
}

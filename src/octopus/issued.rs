//! Requests and responses of Octopus's token endpoint
//! (<https://octopus.com/docs/octopus-rest-api/openid-connect>). Neither is ever printed.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Credentials};

/// Lifetime in seconds of a token whose response contains none.
const UNSAID: u64 = 300;
/// Maximum lifetime in seconds.
const LONGEST: u32 = 24 * 60 * 60;
/// Tokens are renewed this long before their expiry, or at a tenth of their lifetime if that is
/// shorter.
const LEFT: Duration = Duration::from_mins(1);

/// An issued access token.
pub(super) struct Issued {
    pub(super) credentials: Credentials,
    /// Time for which it is used.
    pub(super) good_for: Duration,
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
struct Body {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Seconds>,
}

/// Builds the request for an access token of the service account with this audience.
pub(super) fn request(audience: &str, subject: &SecretString) -> Value {
    json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": audience,
        "subject_token": subject.expose_secret(),
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    })
}

impl Issued {
    /// Parses the response. Returns `None` on failure, because serde's error message could contain
    /// the token.
    pub(super) fn read(answer: &Answer) -> Option<Self> {
        let body: Body = serde_json::from_slice(&answer.body).ok()?;
        if !body.token_type.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return None;
        }
        let seconds = match body.expires_in {
            None => Some(UNSAID),
            Some(Seconds::Number(number)) => {
                Duration::try_from_secs_f64(number.min(LONGEST.into())).ok().map(|d| d.as_secs())
            }
            Some(Seconds::Text(text)) => text.trim().parse().ok(),
        };
        let whole = Duration::from_secs(seconds.unwrap_or(UNSAID).min(LONGEST.into()));
        let credentials = Credentials::access_token(&body.access_token).ok()?;
        Some(Self { credentials, good_for: whole.saturating_sub((whole / 10).min(LEFT)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Option<u128> {
        let body = body.to_string().into();
        let answer = Answer { content_type: "application/json".to_owned(), body };
        Issued::read(&answer).map(|issued| issued.good_for.as_millis())
    }

    #[test]
    fn a_token_is_used_until_shortly_before_its_end_however_that_is_written() {
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
    fn what_is_no_token_is_none() {
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

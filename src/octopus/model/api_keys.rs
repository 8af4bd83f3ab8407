//! Expiry of API keys and access tokens.
//!
//! An access token contains its expiry. The expiry of an API key is read from
//! `/api/users/{id}/apikeys`: the entry with a hint that is a prefix of the key. If Octopus does
//! not report it, the expiry stays unknown; nothing else depends on it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_with::{As, DefaultOnNull};

use super::{
    resource::Resource,
    users::{self, User},
};
use crate::octopus::client::{
    error::Error, instance_clock::parse_time, path::ApiPath, session::Session,
};

/// Maximum number of API keys that are read of one user.
const MAX_KEYS: u32 = 200;

/// Returns the expiry of the session's credential, if Octopus reports it.
pub(in crate::octopus) async fn credential_expiry(
    session: &Session,
) -> Result<Option<Timestamp>, Error> {
    if let Some(token) = session.credentials().as_access_token() {
        return Ok(jwt_expiry(token));
    }
    let me = users::me(session).await?;
    let path = ApiPath::new([User::COLLECTION, me.id.as_str(), "apikeys"]).query("take", MAX_KEYS);
    let keys: ApiKeys = session.get(&path).await?;
    let ours: Vec<_> = keys
        .items
        .iter()
        .filter(|key| {
            key.hint().is_some_and(|hint| session.credentials().api_key_starts_with(hint))
        })
        .collect();
    // If several keys match, the right one is unknown.
    Ok(match ours.as_slice() {
        [key] => key.expires.as_deref().and_then(parse_time),
        _ => None,
    })
}

/// API keys of a user. The form of `ApiKey` differs between versions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiKeys {
    #[serde(default, with = "As::<DefaultOnNull>")]
    items: Vec<ApiKey>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiKey {
    api_key: Option<Value>,
    expires: Option<String>,
}

/// Minimum length of a hint; a shorter one would match every key.
const MIN_HINT_LEN: usize = "API-XX".len();

impl ApiKey {
    fn hint(&self) -> Option<&str> {
        let hint = match self.api_key.as_ref()? {
            Value::String(hint) => hint,
            Value::Object(key) => key.get("Hint")?.as_str()?,
            _ => return None,
        };
        let hint = hint.trim_end_matches(['*', '.', '…', 'x']);
        (hint.len() >= MIN_HINT_LEN).then_some(hint)
    }
}

/// Reads the `exp` claim of a JWT (RFC 7519, section 4.1.4) without verifying the token; Octopus
/// does that.
fn jwt_expiry(token: &str) -> Option<Timestamp> {
    let claims = token.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parses_hints_in_every_form() {
        for (api_key, expected) in [
            (json!({ "HasValue": true, "NewValue": null, "Hint": "API-QB7K" }), Some("API-QB7K")),
            (json!("API-QB7K****"), Some("API-QB7K")),
            (json!({ "HasValue": true, "Hint": null }), None),
            (json!("API-"), None),
            (json!(null), None),
        ] {
            let key: ApiKey = serde_json::from_value(json!({ "ApiKey": api_key })).unwrap();
            assert_eq!(key.hint(), expected, "{api_key}");
        }
    }

    #[test]
    fn reads_expiry_of_access_tokens() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"exp":1800000000}"#);
        let expected = Timestamp::from_second(1_800_000_000).ok();
        assert_eq!(jwt_expiry(&format!("eyJ.{claims}.sig")), expected);
        for opaque in ["abc", "a.b.c", ""] {
            assert_eq!(jwt_expiry(opaque), None);
        }
    }
}

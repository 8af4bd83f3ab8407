//! Expiry of the configured credentials, for metrics. An expired key breaks the calls of all its
//! callers at once.
//!
//! An access token contains its expiry. The expiry of an API key is read from
//! `/api/users/{id}/apikeys`: the entry whose hint is a prefix of the key. If Octopus does not
//! report it, the expiry stays unknown; nothing else depends on it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    client::{
        credentials::Fingerprint,
        error::Error,
        instances::{Instance, Instances},
        path::ApiPath,
        session::Session,
    },
    model::{resource::Resource, users},
};

/// Known expiry times of the configured credentials.
#[derive(Debug, Default)]
pub struct CredentialExpiries(Mutex<BTreeMap<CredentialName, Timestamp>>);

/// Instance name, and the name of the credential in the settings: a group, or `configured`.
type CredentialName = (String, String);

/// Interval between refreshes.
const REFRESH_INTERVAL: Duration = Duration::from_hours(6);
/// Maximum number of API keys that are read of one user.
const MAX_KEYS: u32 = 200;

impl CredentialExpiries {
    /// Returns the remaining days of each credential; negative after its expiry.
    pub fn remaining_days(&self, now: Timestamp) -> Vec<(CredentialName, f64)> {
        let known = self.lock();
        let days = |when: &Timestamp| when.duration_since(now).as_secs_f64() / (24.0 * 3600.0);
        known.iter().map(|(of, when)| (of.clone(), days(when))).collect()
    }

    /// Refreshes the expiry times every six hours until the server stops.
    pub async fn run(
        self: Arc<Self>,
        instances: impl Fn() -> Arc<Instances>,
        stop: CancellationToken,
    ) {
        let mut round = tokio::time::interval(REFRESH_INTERVAL);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = round.tick() => {}
            }
            let now = instances();
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.refresh(&now) => {}
            }
        }
    }

    /// Reads the expiry of each configured credential once.
    pub async fn refresh(&self, instances: &Instances) {
        let mut found = BTreeMap::new();
        for instance in instances.iter() {
            for (name, configured) in instance.configured_credentials() {
                let credentials = configured.current();
                let whose = Fingerprint::of([b"expiry".as_slice()]);
                let session = Session::new(instance.client.clone(), credentials, whose, None);
                let of = (instance.name.clone(), name.to_owned());
                match read_expiry(&session).await {
                    Ok(when) => found.extend(when.map(|when| (of, when))),
                    Err(error) => {
                        tracing::debug!(instance = of.0, key = of.1, %error, "expiry not read");
                        // Keep the value of the last successful read.
                        let before = self.lock().get(&of).copied();
                        found.extend(before.map(|when| (of, when)));
                    }
                }
            }
        }
        *self.lock() = found;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CredentialName, Timestamp>> {
        self.0.lock()
    }
}

impl Instance {
    /// Returns the configured credentials of the instance with their names.
    fn configured_credentials(
        &self,
    ) -> Vec<(&str, &super::client::configured_credential::ConfiguredCredential)> {
        self.credential_provider().configured()
    }
}

async fn read_expiry(session: &Session) -> Result<Option<Timestamp>, Error> {
    if let Some(token) = session.credentials().as_access_token() {
        return Ok(jwt_expiry(token));
    }
    let me = users::me(session).await?;
    let path =
        ApiPath::new([users::User::COLLECTION, me.id.as_str(), "apikeys"]).query("take", MAX_KEYS);
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
        [key] => key.expires.as_ref().and_then(|when| when.parse().ok()),
        _ => None,
    })
}

/// API keys of a user. The form of `ApiKey` differs between versions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiKeys {
    #[serde(default)]
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

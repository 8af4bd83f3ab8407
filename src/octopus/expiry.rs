//! When the credentials expire that the settings name: a key that runs out stops everybody at once.
//!
//! An access token says it itself. Of a key its user may ask (`/api/users/{id}/apikeys`): the one
//! whose hint is how the key begins. Where Octopus does not say, nothing is known, and nothing
//! depends on it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Error, Fingerprint, Instance, Instances, Path, Resource, Session, users};

/// When the configured credentials expire, as far as that is known.
#[derive(Debug, Default)]
pub struct Expiries(Mutex<BTreeMap<Of, Timestamp>>);

/// The instance, and what the settings call the credential: a group, or `configured`.
type Of = (String, String);

/// How often Octopus is asked again.
const EVERY: Duration = Duration::from_hours(6);
/// How many keys of one user are looked through.
const KEYS: u32 = 200;

impl Expiries {
    /// How many days each has left: less than nothing once it is over.
    pub fn days(&self, now: Timestamp) -> Vec<(Of, f64)> {
        let known = self.known();
        let days = |when: &Timestamp| when.duration_since(now).as_secs_f64() / (24.0 * 3600.0);
        known.iter().map(|(of, when)| (of.clone(), days(when))).collect()
    }

    /// Asks now and then, until the server stops.
    pub async fn follow(
        self: Arc<Self>,
        instances: impl Fn() -> Arc<Instances>,
        stop: CancellationToken,
    ) {
        let mut round = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = round.tick() => {}
            }
            let now = instances();
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look(&now) => {}
            }
        }
    }

    /// Asks every instance once.
    pub async fn look(&self, instances: &Instances) {
        let mut found = BTreeMap::new();
        for instance in instances.iter() {
            for (name, configured) in instance.configured() {
                let credentials = configured.read();
                let whose = Fingerprint::of([b"expiry".as_slice()]);
                let session = Session::new(instance.client.clone(), credentials, whose, None);
                let of = (instance.name.clone(), name.to_owned());
                match expires(&session).await {
                    Ok(when) => found.extend(when.map(|when| (of, when))),
                    Err(error) => {
                        tracing::debug!(instance = of.0, key = of.1, %error, "no expiry is known");
                        // What was known before is still so.
                        let before = self.known().get(&of).copied();
                        found.extend(before.map(|when| (of, when)));
                    }
                }
            }
        }
        *self.known() = found;
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Of, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Instance {
    /// The credentials that the settings name for it.
    fn configured(&self) -> Vec<(&str, &super::Configured)> {
        self.source().configured()
    }
}

async fn expires(session: &Session) -> Result<Option<Timestamp>, Error> {
    if let Some(token) = session.credentials().token() {
        return Ok(of_token(token));
    }
    let me = users::me(session).await?;
    let path = Path::new([users::User::COLLECTION, me.id.as_str(), "apikeys"]).with("take", KEYS);
    let keys: Keys = session.get(&path).await?;
    let ours: Vec<_> = keys
        .items
        .iter()
        .filter(|key| key.hint().is_some_and(|hint| session.credentials().begins_with(hint)))
        .collect();
    // Where two begin alike, nobody knows which one it is.
    Ok(match ours.as_slice() {
        [key] => key.expires.as_ref().and_then(|when| when.parse().ok()),
        _ => None,
    })
}

/// The keys of a user. The form of `ApiKey` differs between versions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    #[serde(default)]
    items: Vec<Key>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    api_key: Option<Value>,
    expires: Option<String>,
}

/// A shorter hint would be that of every key.
const SHORTEST_HINT: usize = "API-XX".len();

impl Key {
    fn hint(&self) -> Option<&str> {
        let hint = match self.api_key.as_ref()? {
            Value::String(hint) => hint,
            Value::Object(key) => key.get("Hint")?.as_str()?,
            _ => return None,
        };
        let hint = hint.trim_end_matches(['*', '.', '…', 'x']);
        (hint.len() >= SHORTEST_HINT).then_some(hint)
    }
}

/// The `exp` of a JWT (RFC 7519, section 4.1.4). Octopus checks the token; here it is only read.
fn of_token(token: &str) -> Option<Timestamp> {
    let claims = token.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hints_are_read_in_every_form_and_short_ones_are_none() {
        for (api_key, expected) in [
            (json!({ "HasValue": true, "NewValue": null, "Hint": "API-QB7K" }), Some("API-QB7K")),
            (json!("API-QB7K****"), Some("API-QB7K")),
            (json!({ "HasValue": true, "Hint": null }), None),
            (json!("API-"), None),
            (json!(null), None),
        ] {
            let key: Key = serde_json::from_value(json!({ "ApiKey": api_key })).unwrap();
            assert_eq!(key.hint(), expected, "{api_key}");
        }
    }

    #[test]
    fn a_token_says_when_it_expires() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"exp":1800000000}"#);
        let expected = Timestamp::from_second(1_800_000_000).ok();
        assert_eq!(of_token(&format!("eyJ.{claims}.sig")), expected);
        for opaque in ["abc", "a.b.c", ""] {
            assert_eq!(of_token(opaque), None);
        }
    }
}

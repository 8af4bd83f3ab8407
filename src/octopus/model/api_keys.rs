//! Identity of the credential of a session: expiry, access level and actor type.
//!
//! An access token contains its expiry. The entry of an API key is found in
//! `/api/users/{id}/apikeys`: the entry with a hint that is a prefix of the key. If Octopus does
//! not report an entry or several match, the identity stays unknown; nothing else depends on it.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_with::{As, DefaultOnNull};

use super::{
    resource::{Id, Resource},
    users::{self, User},
};
use crate::octopus::client::{
    error::Error, instance_clock::parse_time, path::ApiPath, session::Session,
};

/// Maximum number of API keys that are read of one user.
const MAX_KEYS: u32 = 200;
/// Maximum number of scopes of an API key.
const MAX_SCOPES: usize = 50;

/// What Octopus reports about the credential of a session. Before Octopus 2026, an API key has no
/// access level and no actor type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialIdentity {
    /// ID of the API key, e.g. `APIKeys-abc`.
    pub key_id: Option<String>,
    /// `FullAccess`, `ReadOnly` or `Custom`.
    pub access_level: Option<String>,
    /// `User` or `AiAgent`.
    pub actor_type: Option<String>,
    /// Expiry as Octopus reports it, in ISO 8601.
    pub expires: Option<String>,
    /// Permissions of a key with the access level `Custom`; at most 50 groups.
    pub scopes: Vec<KeyScope>,
    /// Number of scopes that were left out.
    pub omitted_scopes: usize,
    /// Reason why the entry of the API key, or its scopes, are unknown.
    pub unknown: Option<String>,
}

/// Permissions of an API key with the same restriction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyScope {
    /// Where the permissions apply.
    pub restriction: Restriction,
    /// Names such as `DeploymentCreate`.
    pub permissions: Vec<String>,
}

/// Documents that permissions are restricted to; an empty list does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Restriction {
    /// ID of the space; `None` for permissions of the server.
    pub space_id: Option<String>,
    /// IDs of projects.
    #[serde(rename = "RestrictedToProjectIds", default, with = "As::<DefaultOnNull>")]
    pub projects: Vec<String>,
    /// IDs of project groups.
    #[serde(rename = "RestrictedToProjectGroupIds", default, with = "As::<DefaultOnNull>")]
    pub project_groups: Vec<String>,
    /// IDs of environments.
    #[serde(rename = "RestrictedToEnvironmentIds", default, with = "As::<DefaultOnNull>")]
    pub environments: Vec<String>,
    /// IDs of tenants.
    #[serde(rename = "RestrictedToTenantIds", default, with = "As::<DefaultOnNull>")]
    pub tenants: Vec<String>,
}

/// Returns the expiry of the session's credential, if Octopus reports it.
pub(in crate::octopus) async fn credential_expiry(
    session: &Session,
) -> Result<Option<Timestamp>, Error> {
    if let Some(token) = session.credentials().as_access_token() {
        return Ok(jwt_expiry(token));
    }
    let me = users::me(session).await?;
    Ok(match own_key(session, &me.id).await? {
        Ok(key) => key.expires.as_deref().and_then(parse_time),
        Err(_) => None,
    })
}

/// Reads what Octopus reports about the credential of the session. `me` is its user.
///
/// A failed read is a reason in [`CredentialIdentity::unknown`] and no error.
pub async fn credential_identity(session: &Session, me: &Id<User>) -> CredentialIdentity {
    if let Some(token) = session.credentials().as_access_token() {
        let expires = jwt_expiry(token).map(|when| when.to_string());
        return CredentialIdentity { expires, ..CredentialIdentity::default() };
    }
    // Spaces in the permissions of the caller's own key are not read, so they are no access.
    let session = &session.without_recording();
    let unknown = |reason: String| CredentialIdentity {
        unknown: Some(reason),
        ..CredentialIdentity::default()
    };
    let key = match own_key(session, me).await {
        Ok(Ok(key)) => key,
        Ok(Err(reason)) => return unknown(reason),
        Err(error) => return unknown(format!("the API keys of the user were not read: {error}")),
    };
    let mut identity = CredentialIdentity {
        key_id: key.id,
        access_level: key.access_level,
        actor_type: key.actor_type,
        expires: key.expires,
        ..CredentialIdentity::default()
    };
    if let (Some("Custom"), Some(id)) = (identity.access_level.as_deref(), &identity.key_id) {
        match key_scopes(session, me, id).await {
            Ok(mut scopes) => {
                identity.omitted_scopes = scopes.len().saturating_sub(MAX_SCOPES);
                scopes.truncate(MAX_SCOPES);
                identity.scopes = scopes;
            }
            Err(error) => {
                identity.unknown = Some(format!("the scopes of the key were not read: {error}"));
            }
        }
    }
    identity
}

/// Finds the entry of the session's API key among the keys of its user. The inner error is the
/// reason why it is unknown.
async fn own_key(session: &Session, me: &Id<User>) -> Result<Result<ApiKey, String>, Error> {
    let path = ApiPath::new([User::COLLECTION, me.as_str(), "apikeys"]).query("take", MAX_KEYS);
    let ApiKeys { items, total_results } = session.get(&path).await?;
    let read = items.len();
    let is_own = |key: &ApiKey| {
        key.hint().is_some_and(|hint| session.credentials().api_key_starts_with(hint))
    };
    let mut own: Vec<ApiKey> = items.into_iter().filter(is_own).collect();
    // If several keys match, the right one is unknown. Keys that were not read can match as well.
    Ok(match (own.pop(), own.len()) {
        (_, 1..) => Err(format!(
            "{} API keys of the user begin alike, so it is unknown which one this is",
            own.len() + 1
        )),
        _ if total_results.is_some_and(|total| total > read as u64) => Err(format!(
            "the user has more than {read} API keys, so it is unknown which one this is"
        )),
        (None, _) => {
            Err("Octopus lists no API key of the user that begins like this one".to_owned())
        }
        (Some(key), 0) => Ok(key),
    })
}

/// Reads the permissions of an API key, grouped by restriction.
async fn key_scopes(session: &Session, me: &Id<User>, key: &str) -> Result<Vec<KeyScope>, Error> {
    let path = [User::COLLECTION, me.as_str(), "permissions", "configuration"];
    let path = ApiPath::new(path).query("apiKeyId", key).query("includeSystem", true);
    let PermissionSet { space_permissions, system_permissions } = session.get(&path).await?;
    let mut scopes: BTreeMap<Restriction, Vec<String>> = BTreeMap::new();
    if !system_permissions.is_empty() {
        scopes.insert(Restriction::default(), system_permissions);
    }
    for (permission, restrictions) in space_permissions {
        for restriction in restrictions {
            scopes.entry(restriction).or_default().push(permission.clone());
        }
    }
    let scope = |(restriction, permissions)| KeyScope { restriction, permissions };
    Ok(scopes.into_iter().map(scope).collect())
}

/// Permissions of a user, or of one of the user's API keys.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PermissionSet {
    #[serde(default, with = "As::<DefaultOnNull>")]
    space_permissions: BTreeMap<String, Vec<Restriction>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    system_permissions: Vec<String>,
}

/// API keys of a user. The form of `ApiKey` differs between versions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ApiKeys {
    #[serde(default, with = "As::<DefaultOnNull>")]
    items: Vec<ApiKey>,
    total_results: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiKey {
    id: Option<String>,
    #[serde(rename = "ApiKey")]
    secret: Option<Value>,
    expires: Option<String>,
    access_level: Option<String>,
    actor_type: Option<String>,
}

/// Minimum number of characters of a hint after the prefix of the key; fewer would match every key.
const MIN_HINT_LEN: usize = 2;

impl ApiKey {
    fn hint(&self) -> Option<&str> {
        let hint = match self.secret.as_ref()? {
            Value::String(hint) => hint,
            Value::Object(key) => key.get("Hint")?.as_str()?,
            _ => return None,
        };
        let hint = hint.trim_end_matches(['*', '.', '…', 'x']);
        let (_, rest) = hint.split_once('-')?;
        (rest.len() >= MIN_HINT_LEN).then_some(hint)
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
            (json!("AGENT-QB7K..."), Some("AGENT-QB7K")),
            (json!("API-"), None),
            (json!("AGENT-Q"), None),
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

//! Reads identity, groups and scopes from the claims of a token.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use serde_json::Value;

use super::Claims;
use crate::{
    auth::{
        AuthError, AuthMethod, Grants, Identity, TokenScope, caller::display_name,
        highest_group_scope,
    },
    config::{GroupScope, IssuerSettings, ListSetting, OauthSettings},
};

/// The claims that contain the OAuth client ID, by issuer: `azp` (`OpenID` Connect), `client_id`
/// (RFC 9068), `appid` (Microsoft Entra ID), `cid` (Okta).
const CLIENT_CLAIMS: &[&str] = &["azp", "client_id", "appid", "cid"];

/// Returns the identity and grants of a token with a verified signature and audience.
pub(super) fn identity_from_claims(
    claims: &Claims,
    issuer: &IssuerSettings,
    oauth: &OauthSettings,
    group_scopes: &[GroupScope],
) -> Result<Identity, AuthError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    let client = CLIENT_CLAIMS.iter().find_map(|name| text(name));
    let subject = text("sub").or(client).ok_or(AuthError::Invalid(
        "the token identifies no caller: it has neither sub nor a client ID",
    ))?;
    let names = issuer.name_claims.0.iter();
    let name =
        names.filter_map(|name| claim_value(claims, name)?.as_str()).find(|name| !name.is_empty());
    let name = display_name(name.or(client).unwrap_or(subject));
    let groups = caller_groups(claims, issuer, oauth)?;
    let scopes = issuer
        .scope_claims
        .0
        .iter()
        .filter_map(|name| claim_value(claims, name))
        .flat_map(split_words);
    let token_scope = scopes.filter_map(|word| parse_scope(&word, oauth)).max();
    let is_scoped = token_scope.is_some();
    let group_scope = || highest_group_scope(&groups, group_scopes);
    let scope = token_scope.or_else(group_scope).or(issuer.default_scope);
    let scope = scope.ok_or_else(|| no_scope_error(issuer))?;
    // Signature validation accepts a token for this long after `exp`, so the identity must not
    // expire earlier.
    let skew = oauth.clock_skew.0.as_secs_f64();
    let expires = claims.get("exp").and_then(Value::as_f64).map(|expires| expires + skew);
    Ok(Identity {
        method: AuthMethod::Oauth,
        name,
        subject: subject.to_owned(),
        issuer: Some(issuer.issuer.clone()),
        client: client.map(str::to_owned),
        owner: None,
        groups: Arc::new(groups),
        grants: Grants { scope, ..Grants::default() },
        is_scoped,
        expires: expires.map(timestamp_from_seconds),
    })
}

/// Returns the error for a token without access: it has no scope and no configured group, and its
/// issuer has no default scope.
fn no_scope_error(issuer: &IssuerSettings) -> AuthError {
    if issuer.scope_claims.0.is_empty() {
        return AuthError::NoAccess(
            "none of your groups has access to this server; the server administrator can grant it \
             with auth.group_scopes",
        );
    }
    AuthError::InsufficientScope { granted: None, required: TokenScope::Read }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "an expiration time beyond the range of `Timestamp` becomes the maximum"
)]
fn timestamp_from_seconds(second: f64) -> Timestamp {
    Timestamp::from_second(second as i64).unwrap_or(Timestamp::MAX)
}

/// Returns a claim by its full name, which may contain dots, or else by a dotted path into nested
/// claims.
fn claim_value<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let mut segments = name.split('.');
        let first = claims.get(segments.next()?)?;
        segments.try_fold(first, |value, segment| value.get(segment))
    })
}

/// Splits a claim into words: a string at white space, an array at its items.
fn split_words(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn parse_scope(word: &str, oauth: &OauthSettings) -> Option<TokenScope> {
    let names = &oauth.scope_names;
    let has = |list: &ListSetting| list.0.iter().any(|name| name == word);
    [
        (&names.admin, TokenScope::Admin),
        (&names.deploy, TokenScope::Deploy),
        (&names.read, TokenScope::Read),
    ]
    .into_iter()
    .find_map(|(list, scope)| has(list).then_some(scope))
}

/// Returns the groups in the group claims and the groups that `auth.oauth.groups` derives from
/// other claims.
fn caller_groups(
    claims: &Claims,
    issuer: &IssuerSettings,
    oauth: &OauthSettings,
) -> Result<BTreeSet<String>, AuthError> {
    let mut groups = BTreeSet::new();
    for name in &issuer.groups_claims.0 {
        let is_distributed =
            claims.get("_claim_names").is_some_and(|names| names.get(name).is_some());
        // Policy rules about groups need the complete list, so a token without it is rejected.
        if is_distributed
            || (name == "groups" && claims.get("hasgroups") == Some(&Value::Bool(true)))
        {
            return Err(AuthError::Invalid(
                "the token omits the groups of its caller because there are too many; configure \
                 the issuer to include only groups that are assigned to this application",
            ));
        }
        match claim_value(claims, name) {
            Some(Value::String(one)) => drop(groups.insert(one.clone())),
            Some(Value::Array(several)) => {
                groups.extend(several.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
    }
    let has = |claim: &str, value: &str| match claim_value(claims, claim) {
        Some(Value::Array(items)) => items.iter().any(|item| item == value),
        Some(Value::String(text)) => {
            text == value || text.split_whitespace().any(|word| word == value)
        }
        Some(Value::Bool(truth)) => truth.to_string() == value,
        _ => false,
    };
    let read = oauth.groups.iter().filter(|group| has(&group.claim, &group.value));
    groups.extend(read.map(|group| group.group.clone()));
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn identity_of(
        claims: &Value,
        change: impl FnOnce(&mut IssuerSettings, &mut OauthSettings),
    ) -> Result<Identity, AuthError> {
        let (mut issuer, mut oauth) = (IssuerSettings::default(), OauthSettings::default());
        change(&mut issuer, &mut oauth);
        let deployers = GroupScope { group: "deployers".to_owned(), scope: TokenScope::Deploy };
        identity_from_claims(claims.as_object().unwrap(), &issuer, &oauth, &[deployers])
    }

    #[test]
    fn reads_scopes_from_string_or_array_and_takes_highest() {
        for (claims, scope) in [
            (json!({ "scope": "openid octopus:read" }), Some(TokenScope::Read)),
            (json!({ "scope": "octopus:read octopus:admin" }), Some(TokenScope::Admin)),
            (json!({ "scp": "octopus:deploy" }), Some(TokenScope::Deploy)),
            (json!({ "scp": ["profile", "octopus:deploy"] }), Some(TokenScope::Deploy)),
            (json!({ "scope": "octopus:reader" }), None),
            (json!({ "scope": ["octopus:read octopus:admin"] }), None),
            (json!({ "scope": 7 }), None),
            (json!({}), None),
        ] {
            let mut claims = claims;
            claims["sub"] = json!("7");
            let identity = identity_of(&claims, |_, _| {});
            assert_eq!(identity.ok().map(|identity| identity.grants.scope), scope, "{claims}");
        }
    }

    #[test]
    fn scope_falls_back_to_group_then_issuer_default() {
        let none = json!({ "sub": "7" });
        let insufficient =
            AuthError::InsufficientScope { granted: None, required: TokenScope::Read };
        assert_eq!(identity_of(&none, |_, _| {}), Err(insufficient));
        let given = identity_of(&none, |i, _| {
            i.default_scope = Some(TokenScope::Read);
        })
        .unwrap();
        assert_eq!(given.grants.scope, TokenScope::Read);
        let member = json!({ "sub": "7", "groups": ["deployers"] });
        assert_eq!(identity_of(&member, |_, _| {}).unwrap().grants.scope, TokenScope::Deploy);
        // Scopes in the token take precedence over the scope of a group.
        let member = json!({ "sub": "7", "groups": ["deployers"], "scope": "octopus:read" });
        assert_eq!(identity_of(&member, |_, _| {}).unwrap().grants.scope, TokenScope::Read);
    }

    #[test]
    fn finds_groups_in_dotted_and_nested_claims() {
        let claims = json!({
            "sub": "7", "scope": "octopus:read",
            "https://example.com/groups": ["a"],
            "cognito:groups": ["b"],
            "realm_access": { "roles": ["c"] },
            "department": "Freight",
        });
        let identity = identity_of(&claims, |issuer, oauth| {
            issuer.groups_claims.0 =
                ["https://example.com/groups", "cognito:groups", "realm_access.roles", "none"]
                    .map(str::to_owned)
                    .to_vec();
            oauth.groups = vec![crate::config::ClaimGroup {
                claim: "department".to_owned(),
                value: "Freight".to_owned(),
                group: "freight".to_owned(),
            }];
        });
        let groups = identity.unwrap().groups;
        assert_eq!(
            groups.iter().map(String::as_str).collect::<Vec<_>>(),
            ["a", "b", "c", "freight"]
        );
    }

    #[test]
    fn rejects_token_with_group_overage() {
        for claims in [
            json!({ "sub": "7", "scp": "octopus:read", "_claim_names": { "groups": "src1" } }),
            json!({ "sub": "7", "scp": "octopus:read", "hasgroups": true }),
        ] {
            assert!(
                matches!(identity_of(&claims, |_, _| {}), Err(AuthError::Invalid(_))),
                "{claims}"
            );
        }
    }

    #[test]
    fn takes_name_and_client_from_claims() {
        for (claims, name, client) in [
            (
                json!({ "sub": "7", "preferred_username": "maria.gomez", "azp": "cli" }),
                "maria.gomez",
                Some("cli"),
            ),
            (json!({ "sub": "7", "email": "m@example.com" }), "m@example.com", None),
            (json!({ "sub": "0oa1", "cid": "0oa1" }), "0oa1", Some("0oa1")),
            (json!({ "client_id": "agent" }), "agent", Some("agent")),
            (json!({ "sub": "7" }), "7", None),
            (json!({ "sub": "7", "name": "A\u{202e}\nB" }), "A B", None),
        ] {
            let mut claims = claims;
            claims["scope"] = json!("octopus:read");
            let identity = identity_of(&claims, |_, _| {}).unwrap();
            assert_eq!(
                (identity.name.as_str(), identity.client.as_deref()),
                (name, client),
                "{claims}"
            );
        }
        assert!(identity_of(&json!({ "scope": "octopus:read", "sub": "" }), |_, _| {}).is_err());
    }
}

//! Tokens and keys in the formats of well-known identity providers.

use octopus_mcp::{
    auth::{AuthError, AuthMethod, Authenticators, Identity, TokenScope},
    config::{ClaimGroup, Config, IssuerSettings, ListSetting},
    telemetry::Metrics,
};
use serde_json::{Value, json};
use std::sync::Arc;

use super::test_issuer::{Signer, TestIssuer, now};

fn string_list(entries: &[&str]) -> ListSetting {
    ListSetting(entries.iter().map(|word| (*word).to_owned()).collect())
}

/// A provider with its own issuer name. The test issuer publishes its keys.
struct Provider {
    signer: Signer,
    issuer: TestIssuer,
    config: Config,
}

impl Provider {
    fn new(name: &str, audiences: &[&str]) -> Self {
        let signer = Signer::rsa("key-1", jsonwebtoken::Algorithm::RS256);
        let issuer = TestIssuer::start(&[&signer]);
        let mut config = Config::default();
        issuer.configure(&mut config);
        config.auth.oauth.issuers = vec![IssuerSettings {
            issuer: name.to_owned(),
            audiences: string_list(audiences),
            jwks_uri: Some(format!("{}/keys", issuer.url).parse().unwrap()),
            ..IssuerSettings::default()
        }];
        Self { signer, issuer, config }
    }

    /// Authenticates a token with these claims, `iat` and `exp`.
    async fn authenticate(&self, claims: &Value) -> Result<Arc<Identity>, AuthError> {
        let mut claims = claims.clone();
        claims["iat"] = json!(now());
        claims["exp"] = json!(now() + 3600);
        let token = self.signer.sign(&claims);
        Authenticators::from_config(&self.config, |_| Ok(()), &Metrics::default())
            .unwrap()
            .authenticate_bearer(&token, "/mcp")
            .await
    }
}

const UNKNOWN_ISSUER: &str = "this server does not trust the issuer of the token";
const OTHER_RESOURCE: &str = "the token was issued for another resource";

const TENANT: &str = "3f2b6f0c-5f3c-4d0b-9a55-9f1f6c2f7e10";
const APP: &str = "0f6d2a44-8a0f-4c57-b4ab-2d6a5b1c9e77";

fn entra() -> Provider {
    let name = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let mut provider = Provider::new(&name, &[APP, &format!("api://{APP}")]);
    let keys = provider.config.auth.oauth.issuers[0].jwks_uri.clone();
    // Keys of Entra ID have no `alg`.
    let mut key = provider.signer.public_jwk();
    key.as_object_mut().unwrap().remove("alg");
    key["x5t"] = json!("i5X3l0f1X0mQ");
    provider.issuer.publish_jwks(vec![key]);
    provider.config.auth.oauth.issuers.push(IssuerSettings {
        issuer: format!("https://sts.windows.net/{TENANT}/"),
        audiences: string_list(&[&format!("api://{APP}")]),
        jwks_uri: keys,
        advertised: false,
        ..IssuerSettings::default()
    });
    let names = &mut provider.config.auth.oauth.scope_names;
    names.read = string_list(&[&format!("api://{APP}/octopus.read"), "octopus.read"]);
    names.deploy = string_list(&[&format!("api://{APP}/octopus.deploy"), "octopus.deploy"]);
    for issuer in &mut provider.config.auth.oauth.issuers {
        issuer.scope_claims = string_list(&["scp", "roles"]);
    }
    let group = "deployers".to_owned();
    let value = "5d1d64a5-2f1c-4f25-9cf1-0f43a0a7f9f2".to_owned();
    provider.config.auth.oauth.groups =
        vec![ClaimGroup { claim: "groups".to_owned(), value, group }];
    provider
}

#[tokio::test]
async fn accepts_entra_id_v2_user_tokens() {
    let claims = json!({
        "aud": APP,
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "azp": "9ba1a5c7-f17a-4de9-a1f1-6178c8d51223",
        "groups": ["5d1d64a5-2f1c-4f25-9cf1-0f43a0a7f9f2"],
        "name": "Maria Gomez", "oid": "77a1", "preferred_username": "maria.gomez@example.com",
        "scp": "octopus.read octopus.deploy", "sub": "AAAAAAAAAAAAAAAA", "tid": TENANT, "ver": "2.0",
    });
    let identity = entra().authenticate(&claims).await.unwrap();
    assert_eq!(
        (identity.method, identity.name.as_str()),
        (AuthMethod::Oauth, "maria.gomez@example.com")
    );
    assert_eq!(identity.subject, "AAAAAAAAAAAAAAAA");
    assert_eq!(identity.client.as_deref(), Some("9ba1a5c7-f17a-4de9-a1f1-6178c8d51223"));
    assert_eq!(identity.grants.scope, TokenScope::Deploy);
    assert!(identity.groups.contains("deployers"));
}

#[tokio::test]
async fn accepts_entra_id_v1_user_tokens() {
    let claims = json!({
        "aud": format!("api://{APP}"), "iss": format!("https://sts.windows.net/{TENANT}/"),
        "appid": "9ba1a5c7", "upn": "maria.gomez@example.com", "scp": "octopus.read",
        "sub": "BBBB", "ver": "1.0",
    });
    let provider = entra();
    let identity = provider.authenticate(&claims).await.unwrap();
    assert_eq!(
        (identity.name.as_str(), identity.client.as_deref()),
        ("maria.gomez@example.com", Some("9ba1a5c7"))
    );
    let mut other = claims;
    other["iss"] = json!("https://sts.windows.net/another-tenant/");
    let error = provider.authenticate(&other).await.unwrap_err();
    assert_eq!(error.to_string(), UNKNOWN_ISSUER, "another tenant");
}

#[tokio::test]
async fn accepts_entra_id_service_tokens_with_app_roles() {
    let claims = json!({
        "aud": APP, "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "azp": "c0ffee", "idtyp": "app", "oid": "9c1d", "sub": "9c1d", "roles": ["octopus.read"],
    });
    let identity = entra().authenticate(&claims).await.unwrap();
    assert_eq!((identity.name.as_str(), identity.subject.as_str()), ("c0ffee", "9c1d"));
    assert_eq!(identity.grants.scope, TokenScope::Read);
}

#[tokio::test]
async fn rejects_entra_id_group_overage() {
    let claims = json!({
        "aud": APP, "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "sub": "AAAA", "scp": "octopus.read",
        "_claim_names": { "groups": "src1" },
        "_claim_sources": { "src1": { "endpoint": "https://graph.windows.net/x" } },
    });
    let error = entra().authenticate(&claims).await.unwrap_err();
    assert!(
        error.to_string().contains("omits the groups of its caller because there are too many"),
        "{error}"
    );
}

#[tokio::test]
async fn accepts_okta_user_and_service_tokens() {
    let name = "https://example.okta.com/oauth2/aus1";
    let provider = Provider::new(name, &["api://octopus"]);
    let user = json!({
        "ver": 1, "jti": "AT.1", "iss": name, "aud": "api://octopus", "cid": "0oa1", "uid": "00u1",
        "scp": ["openid", "octopus:deploy"], "sub": "maria.gomez@example.com", "groups": ["Everyone"],
    });
    let identity = provider.authenticate(&user).await.unwrap();
    assert_eq!(
        (identity.subject.as_str(), identity.client.as_deref()),
        ("maria.gomez@example.com", Some("0oa1"))
    );
    assert_eq!(identity.grants.scope, TokenScope::Deploy);
    assert!(identity.groups.contains("Everyone"));
    let service = json!({
        "iss": name, "aud": "api://octopus", "cid": "0oa2", "sub": "0oa2", "scp": ["octopus:read"],
    });
    let identity = provider.authenticate(&service).await.unwrap();
    assert_eq!((identity.name.as_str(), identity.subject.as_str()), ("0oa2", "0oa2"));
}

#[tokio::test]
async fn accepts_cognito_tokens_with_client_id_as_audience() {
    let name = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example";
    let mut provider = Provider::new(name, &["5f2c7example"]);
    let issuer = &mut provider.config.auth.oauth.issuers[0];
    issuer.audience_claim = "client_id".to_owned();
    issuer.groups_claims = string_list(&["cognito:groups"]);
    issuer.name_claims = string_list(&["username"]);
    provider.config.auth.oauth.scope_names.read = string_list(&["octopus-mcp/octopus:read"]);
    let access = json!({
        "iss": name, "client_id": "5f2c7example", "token_use": "access", "sub": "u1",
        "scope": "octopus-mcp/octopus:read", "username": "maria", "cognito:groups": ["freight"],
    });
    let identity = provider.authenticate(&access).await.unwrap();
    assert_eq!(
        (identity.name.as_str(), identity.client.as_deref()),
        ("maria", Some("5f2c7example"))
    );
    assert!(identity.groups.contains("freight"));
    // An ID token has `aud` instead of `client_id`, so it is not accepted as an access token.
    let mut id = access.clone();
    id.as_object_mut().unwrap().remove("client_id");
    id["aud"] = json!("5f2c7example");
    id["token_use"] = json!("id");
    let error = provider.authenticate(&id).await.unwrap_err();
    assert_eq!(error.to_string(), OTHER_RESOURCE);
    let mut other = access;
    other["client_id"] = json!("another-client");
    let error = provider.authenticate(&other).await.unwrap_err();
    assert_eq!(error.to_string(), OTHER_RESOURCE);
}

#[tokio::test]
async fn reads_keycloak_role_claims_and_skips_encryption_keys() {
    let name = "https://id.example.com/realms/octopus";
    let mut provider = Provider::new(name, &["octopus-mcp"]);
    provider.config.auth.oauth.issuers[0].groups_claims =
        string_list(&["groups", "realm_access.roles", "resource_access.octopus-mcp.roles"]);
    let mut encrypting = Signer::rsa("key-2", jsonwebtoken::Algorithm::RS256).public_jwk();
    encrypting["use"] = json!("enc");
    encrypting["alg"] = json!("RSA-OAEP");
    provider.issuer.publish_jwks(vec![encrypting, provider.signer.public_jwk()]);
    let claims = json!({
        "iss": name, "aud": ["octopus-mcp", "account"], "sub": "f:1:maria", "typ": "Bearer",
        "azp": "claude", "preferred_username": "maria", "scope": "profile octopus:deploy email",
        "groups": ["/platform/deployers"],
        "realm_access": { "roles": ["offline_access", "uma_authorization"] },
        "resource_access": { "octopus-mcp": { "roles": ["releaser"] } },
    });
    let identity = provider.authenticate(&claims).await.unwrap();
    assert_eq!((identity.name.as_str(), identity.client.as_deref()), ("maria", Some("claude")));
    for group in ["/platform/deployers", "offline_access", "releaser"] {
        assert!(identity.groups.contains(group), "{group}");
    }
    let service = json!({
        "iss": name, "aud": "octopus-mcp", "sub": "9f", "azp": "night-agent", "client_id": "night-agent",
        "preferred_username": "service-account-night-agent", "scope": "octopus:read",
    });
    let identity = provider.authenticate(&service).await.unwrap();
    assert_eq!(identity.name, "service-account-night-agent");
}

#[tokio::test]
async fn accepts_auth0_issuer_with_trailing_slash_and_namespaced_claims() {
    let name = "https://example.eu.auth0.com/";
    let mut provider = Provider::new(name, &["https://mcp.example.com/mcp"]);
    provider.config.auth.oauth.issuers[0].groups_claims =
        string_list(&["https://example.com/groups"]);
    let claims = json!({
        "iss": name, "sub": "auth0|63", "azp": "Hq7", "scope": "openid octopus:read",
        "aud": ["https://mcp.example.com/mcp", "https://example.eu.auth0.com/userinfo"],
        "https://example.com/groups": ["freight"],
    });
    let identity = provider.authenticate(&claims).await.unwrap();
    assert_eq!((identity.name.as_str(), identity.subject.as_str()), ("Hq7", "auth0|63"));
    assert!(identity.groups.contains("freight"));
    let service = json!({
        "iss": name, "sub": "Hq8@clients", "azp": "Hq8", "gty": "client-credentials",
        "aud": "https://mcp.example.com/mcp", "scope": "octopus:read",
    });
    assert_eq!(provider.authenticate(&service).await.unwrap().subject, "Hq8@clients");
    let mut without_slash = claims;
    without_slash["iss"] = json!("https://example.eu.auth0.com");
    let error = provider.authenticate(&without_slash).await.unwrap_err();
    assert_eq!(error.to_string(), UNKNOWN_ISSUER, "issuers are compared byte by byte");
}

#[tokio::test]
async fn equal_subjects_of_two_issuers_are_two_callers() {
    let (one, two) = (
        Provider::new("https://a.example.com", &["x"]),
        Provider::new("https://b.example.com", &["x"]),
    );
    let claims =
        |issuer: &str| json!({ "iss": issuer, "aud": "x", "sub": "1", "scope": "octopus:read" });
    let one = one.authenticate(&claims("https://a.example.com")).await.unwrap();
    let two = two.authenticate(&claims("https://b.example.com")).await.unwrap();
    assert_ne!(one.fingerprint(), two.fingerprint());
}

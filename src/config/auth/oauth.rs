//! Settings of OAuth access tokens.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::TokenScope;
use crate::config::{DurationSetting, ListSetting};

/// Access tokens of authorization servers: signed JWTs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OauthSettings {
    /// Trusted authorization servers. At least one is required for `mode = "oauth"`.
    pub issuers: Vec<IssuerSettings>,
    /// Groups that are derived from claim values, in addition to those in `groups_claims`.
    pub groups: Vec<ClaimGroup>,
    /// Tolerated clock difference to the issuers (default `30s`, max `5m`).
    pub clock_skew: DurationSetting,
    /// Time for which the keys of an issuer are cached (default `10m`).
    pub keys_for: DurationSetting,
    /// Time for which cached keys stay in use while the issuer does not answer (default `24h`, min
    /// `keys_for`).
    pub keys_stale_for: DurationSetting,
    /// Minimum interval between two requests for the keys that tokens with an unknown key ID cause
    /// (default `10s`).
    pub keys_refetch: DurationSetting,
    /// Timeout of a request for the keys of an issuer (default `5s`, max `30s`).
    pub timeout: DurationSetting,
    /// URL of a documentation page about this server, which is published to clients in the
    /// protected resource metadata.
    pub documentation: Option<String>,
    /// OAuth scopes that grant `read`, `deploy` and `admin`.
    pub scope_names: ScopeNames,
}

impl Default for OauthSettings {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            groups: Vec::new(),
            clock_skew: DurationSetting::seconds(30),
            keys_for: DurationSetting::seconds(10 * 60),
            keys_stale_for: DurationSetting::seconds(24 * 60 * 60),
            keys_refetch: DurationSetting::seconds(10),
            timeout: DurationSetting::seconds(5),
            documentation: None,
            scope_names: ScopeNames::default(),
        }
    }
}

/// OAuth scopes that grant `read`, `deploy` and `admin`. Clients are asked to request the first of
/// each list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScopeNames {
    /// OAuth scopes that grant reading (default `octopus:read`).
    pub read: ListSetting,
    /// OAuth scopes that also grant creating and changing (default `octopus:deploy`).
    pub deploy: ListSetting,
    /// OAuth scopes that also grant deleting (default `octopus:admin`).
    pub admin: ListSetting,
}

impl Default for ScopeNames {
    fn default() -> Self {
        let list = |word: &str| ListSetting(vec![word.to_owned()]);
        Self {
            read: list("octopus:read"),
            deploy: list("octopus:deploy"),
            admin: list("octopus:admin"),
        }
    }
}

/// A trusted authorization server.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IssuerSettings {
    /// Issuer URL, exactly as in the claim `iss` of its tokens, e.g. `https://login.example.com`.
    pub issuer: String,
    /// Accepted audiences. Default: the URL of the called endpoint below `http.public_url`, so that
    /// a token for one path is rejected at another.
    pub audiences: ListSetting,
    /// Claim that is compared with `audiences` (default `aud`). Use `client_id` for Amazon Cognito.
    pub audience_claim: String,
    /// URL of the metadata document. Default: the well-known locations below the issuer URL.
    pub discovery: Option<Url>,
    /// URL of the JSON Web Key Set. Default: `jwks_uri` in the metadata document.
    pub jwks_uri: Option<Url>,
    /// Accepted signature algorithms (default all: `RS256`, `RS384`, `RS512`, `PS256`, `PS384`,
    /// `PS512`, `ES256`, `ES384`, `EdDSA`).
    pub algorithms: Vec<SigningAlgorithm>,
    /// Claims with OAuth scopes, as text separated by spaces or as an array (default `scope,scp`).
    pub scope_claims: ListSetting,
    /// Claims with group names (default `groups`). Separate nested claims with a dot, e.g.
    /// `realm_access.roles`.
    pub groups_claims: ListSetting,
    /// Claims with a display name; the first one that exists is used (default
    /// `preferred_username,upn,email,unique_name,name`). Without any, the client or subject is
    /// used.
    pub name_claims: ListSetting,
    /// Scope of callers if neither the token nor a group determines it: `read`, `deploy` or
    /// `admin`. Without it, such tokens are rejected.
    pub default_scope: Option<TokenScope>,
    /// Publishes this issuer to clients in the protected resource metadata (default true). Set
    /// `false` for the second name of an issuer, such as that of version 1 tokens of Microsoft
    /// Entra ID.
    pub advertised: bool,
    /// Client ID of a public OAuth client for the web page at `/`, so that users can sign in
    /// instead of pasting a token. The page uses the authorization code flow with PKCE and its own
    /// URL as redirect URI. The issuer must allow the origin of the page (CORS) and have its token
    /// endpoint at its own origin. Without it, the page accepts only pasted tokens.
    pub page_client_id: Option<String>,
    /// PEM file with certificate authorities to trust in addition to those of the system.
    pub ca_file: Option<PathBuf>,
}

impl Default for IssuerSettings {
    fn default() -> Self {
        let list =
            |words: &[&str]| ListSetting(words.iter().map(|word| (*word).to_owned()).collect());
        Self {
            issuer: String::new(),
            audiences: ListSetting::default(),
            audience_claim: "aud".to_owned(),
            discovery: None,
            jwks_uri: None,
            algorithms: SigningAlgorithm::ALL.to_vec(),
            scope_claims: list(&["scope", "scp"]),
            groups_claims: list(&["groups"]),
            name_claims: list(&["preferred_username", "upn", "email", "unique_name", "name"]),
            default_scope: None,
            advertised: true,
            page_client_id: None,
            ca_file: None,
        }
    }
}

/// Group that is derived from a claim value.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimGroup {
    /// Claim name. Separate nested claims with a dot, e.g. `realm_access.roles`.
    pub claim: String,
    /// Value of the claim, or one of its values if the claim is a list.
    pub value: String,
    /// Group that the caller belongs to if the claim has the value.
    pub group: String,
}

/// Asymmetric signature algorithm. Algorithms with a shared secret are not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of RFC 7518, section 3.1, and RFC 8037")]
pub enum SigningAlgorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl SigningAlgorithm {
    /// All algorithms.
    pub const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];
}

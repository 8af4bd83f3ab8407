//! The settings of access tokens of authorization servers.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    super::{List, Period},
    Scope,
};

/// Access tokens of authorization servers: signed JWTs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Oauth {
    /// The authorization servers whose tokens are believed.
    pub issuers: Vec<Issuer>,
    /// Groups that are read out of claims, beside those that the claims of groups name themselves.
    pub groups: Vec<ClaimGroup>,
    /// How far the clocks of issuers may be off.
    pub clock_skew: Period,
    /// How long the keys of an issuer are used before they are read again.
    pub keys_for: Period,
    /// How long they are used on while the issuer does not answer.
    pub keys_stale_for: Period,
    /// How soon the keys may be read again for a token with a key that is not among them.
    pub keys_refetch: Period,
    /// How long the keys of an issuer may take to come.
    pub timeout: Period,
    /// A page for people about this server, which clients are told of.
    pub documentation: Option<String>,
    /// The words in tokens that say how much a caller may do.
    pub scope_names: ScopeNames,
}

impl Default for Oauth {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            groups: Vec::new(),
            clock_skew: Period::seconds(30),
            keys_for: Period::seconds(10 * 60),
            keys_stale_for: Period::seconds(24 * 60 * 60),
            keys_refetch: Period::seconds(10),
            timeout: Period::seconds(5),
            documentation: None,
            scope_names: ScopeNames::default(),
        }
    }
}

/// The words in tokens that say how much a caller may do. The first of each is what clients are
/// told to ask for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScopeNames {
    /// Read.
    pub read: List,
    /// Make and change things as well.
    pub deploy: List,
    /// Remove things as well.
    pub admin: List,
}

impl Default for ScopeNames {
    fn default() -> Self {
        let list = |word: &str| List(vec![word.to_owned()]);
        Self {
            read: list("octopus:read"),
            deploy: list("octopus:deploy"),
            admin: list("octopus:admin"),
        }
    }
}

/// An authorization server whose tokens are believed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Issuer {
    /// The issuer, exactly as its tokens have it in `iss`.
    pub issuer: String,
    /// The audiences whose tokens are accepted. Left out, it is the address of the endpoint below
    /// `http.public_url`, and a token for one path is not accepted at another.
    pub audiences: List,
    /// The claim that is compared with `audiences`: `aud`; `client_id` for Amazon Cognito.
    pub audience_claim: String,
    /// Where the issuer describes itself. Left out, the usual places below its address.
    pub discovery: Option<Url>,
    /// Where its keys are. Left out, it is what the issuer says of itself.
    pub jwks_uri: Option<Url>,
    /// The algorithms that it signs with.
    pub algorithms: Vec<SigningAlgorithm>,
    /// The claims with the words of `scope_names`: text with spaces, or an array.
    pub scope_claims: List,
    /// The claims with groups. One within another is written with a dot: `realm_access.roles`.
    pub groups_claims: List,
    /// The claims with a name for people. The first that is there counts; else it is the client or
    /// the subject.
    pub name_claims: List,
    /// How much a caller may do where neither the token nor a group says: `read`, `deploy` or
    /// `admin`. Left out, such a token is refused.
    pub default_scope: Option<Scope>,
    /// Whether clients are told to get their tokens here. Say `false` for a second name of an
    /// issuer, such as that of version 1 tokens of Microsoft Entra ID.
    pub advertised: bool,
    /// The ID of a public client for the page at `/`, so that people can sign in there instead of
    /// pasting a token: authorization code with PKCE, no secret, the address of the page as its
    /// redirect URI. The issuer must allow the origin of the page (CORS), with its token endpoint
    /// at its own origin. Left out, the page takes tokens alone.
    pub page_client_id: Option<String>,
    /// A PEM file with certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}

impl Default for Issuer {
    fn default() -> Self {
        let list = |words: &[&str]| List(words.iter().map(|word| (*word).to_owned()).collect());
        Self {
            issuer: String::new(),
            audiences: List::default(),
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

/// A group that is read out of a claim.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimGroup {
    /// The claim. One within another is written with a dot.
    pub claim: String,
    /// The value that the claim has, or has among others.
    pub value: String,
    /// The group that the caller then is in.
    pub group: String,
}

/// An algorithm with a public key. Others do not exist here.
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
    /// All of them.
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

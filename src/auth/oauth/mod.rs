//! OAuth 2.1 access tokens: signed JWTs that this server verifies itself.
//!
//! | file | responsibility |
//! | --- | --- |
//! | `issuer.rs` | caches and refreshes the signing keys of one issuer |
//! | `fetch.rs` | fetches the metadata and key set of an issuer, within size and time limits |
//! | `keys.rs` | selects the key that may have signed a token |
//! | `audience.rs` | checks the audience of a token |
//! | `claims.rs` | reads identity, groups and scopes from the claims |

mod audience;
mod claims;
mod error;
mod fetch;
mod issuer;
mod keys;

pub use error::IssuerSetupError;

use jsonwebtoken::{
    Algorithm, Validation, dangerous::insecure_decode_claims, decode, decode_header,
    errors::ErrorKind,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use self::{audience::Audience, issuer::IssuerKeys};
use super::{AuthError, Identity, TokenScope};
use crate::{config, telemetry::Metrics};

/// The claims of a token with a verified signature.
type Claims = Map<String, Value>;

/// The maximum length of an access token in bytes. Larger ones exceed the header limits of common
/// proxies.
const MAX_TOKEN_LENGTH: usize = 16 * 1024;
/// The accepted `typ` headers (RFC 9068, section 2.1). A token without `typ` is accepted too.
const ACCESS_TOKEN_TYPES: &[&str] = &["jwt", "at+jwt", "application/at+jwt"];

/// Verifies access tokens of the trusted authorization servers.
#[derive(Debug)]
pub struct OauthVerifier {
    issuers: Vec<IssuerKeys>,
    settings: config::OauthSettings,
    group_scopes: Vec<config::GroupScope>,
    audience: Audience,
    /// The highest scope that any caller can use, independent of the token.
    max_scope: TokenScope,
}

impl OauthVerifier {
    /// Creates the verifier from the settings. Sends no request.
    ///
    /// # Errors
    ///
    /// Returns an error if the HTTP client of an issuer cannot be built.
    pub fn from_config(
        config: &config::Config,
        metrics: &Metrics,
    ) -> Result<Self, IssuerSetupError> {
        let settings = &config.auth.oauth;
        let issuers =
            settings.issuers.iter().map(|issuer| IssuerKeys::new(issuer, settings, metrics));
        Ok(Self {
            issuers: issuers.collect::<Result<_, _>>()?,
            settings: settings.clone(),
            group_scopes: config.auth.group_scopes.clone(),
            audience: Audience::new(config.http.public_url.as_ref()),
            max_scope: match (config.tools.read_only, config.tools.allow_deletes) {
                (true, _) => TokenScope::Read,
                (false, false) => TokenScope::Deploy,
                (false, true) => TokenScope::Admin,
            },
        })
    }

    /// Returns the issuers to advertise to clients, spelled as in the settings.
    pub fn authorization_servers(&self) -> Vec<&str> {
        let advertised = self.settings.issuers.iter().filter(|issuer| issuer.advertised);
        advertised.map(|issuer| issuer.issuer.as_str()).collect()
    }

    /// Returns the issuers for sign-in on the web page, each with the client ID of the page.
    pub fn page_clients(&self) -> Vec<(&config::IssuerSettings, &str)> {
        let issuers = self.settings.issuers.iter();
        issuers.filter_map(|one| Some((one, one.page_client_id.as_deref()?))).collect()
    }

    /// Returns the names of the scopes that are useful with these settings.
    pub fn advertised_scopes(&self) -> Vec<&str> {
        let scopes = [TokenScope::Read, TokenScope::Deploy, TokenScope::Admin].into_iter();
        scopes.filter(|scope| self.advertises(*scope)).map(|scope| self.scope_name(scope)).collect()
    }

    /// Returns whether a scope is advertised to clients. Returns `false` for scopes that are
    /// useless with the settings.
    pub fn advertises(&self, scope: TokenScope) -> bool {
        scope <= self.max_scope
    }

    /// Returns the name by which clients request a scope.
    pub fn scope_name(&self, scope: TokenScope) -> &str {
        let names = &self.settings.scope_names;
        let list = match scope {
            TokenScope::Read => &names.read,
            TokenScope::Deploy => &names.deploy,
            TokenScope::Admin => &names.admin,
        };
        list.0.first().map_or(<&str>::from(scope), String::as_str)
    }

    /// Returns the URL of documentation about this server.
    pub fn documentation_url(&self) -> Option<&str> {
        self.settings.documentation.as_deref()
    }

    /// Verifies an access token and returns the identity of its caller. `path` is the path of the
    /// endpoint; without configured audiences the token must be issued for that endpoint.
    ///
    /// # Errors
    ///
    /// Returns [`AuthError`] if the token is not valid, grants no access or cannot be verified now.
    pub async fn verify(&self, token: &str, path: &str) -> Result<Identity, AuthError> {
        const NOT_ACCEPTED: AuthError =
            AuthError::Invalid("the token is not a JWT, or its signing algorithm is not accepted");
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(AuthError::Invalid("the token is longer than 16 KiB"));
        }
        let header = decode_header(token).map_err(|_| NOT_ACCEPTED)?;
        let is_access =
            |typ: &String| ACCESS_TOKEN_TYPES.contains(&typ.to_ascii_lowercase().as_str());
        if !header.typ.as_ref().is_none_or(is_access) {
            return Err(AuthError::Invalid(
                "the token is not an access token; its typ header must be at+jwt or JWT",
            ));
        }
        if header.crit.is_some() {
            return Err(AuthError::Invalid(
                "the token has critical header parameters (crit), which are not supported",
            ));
        }
        let issuer = self.claimed_issuer(token)?;
        if !issuer.accepts_algorithm(header.alg) {
            return Err(NOT_ACCEPTED);
        }
        let key = issuer.find_key(header.kid.as_deref(), header.alg).await?;
        let validation = self.validation(issuer, header.alg);
        let claims: Claims = match decode(token, &key, &validation) {
            Ok(data) => data.claims,
            Err(error) => return Err(decode_error(error.kind())),
        };
        // `validation` also accepts an array of issuers that contains the right one; only a single
        // string identifies the issuer.
        if claims.get("iss").and_then(Value::as_str) != Some(&issuer.settings.issuer) {
            return Err(UNKNOWN_ISSUER);
        }
        if !self.audience.accepts(&claims, &issuer.settings, path) {
            return Err(AuthError::Invalid("the token was issued for another resource"));
        }
        claims::identity_from_claims(&claims, &issuer.settings, &self.settings, &self.group_scopes)
    }

    /// Returns the trusted issuer that the token claims. The claim is unverified until the
    /// signature is checked with a key of that issuer.
    fn claimed_issuer(&self, token: &str) -> Result<&IssuerKeys, AuthError> {
        #[derive(Deserialize)]
        struct UnverifiedClaims {
            iss: Option<Value>,
        }
        let claims: UnverifiedClaims = insecure_decode_claims(token)
            .map_err(|_| AuthError::Invalid("the claims of the token cannot be parsed"))?;
        let iss = claims.iss.as_ref().and_then(Value::as_str);
        let is_trusted = |issuer: &&IssuerKeys| iss == Some(issuer.settings.issuer.as_str());
        self.issuers.iter().find(is_trusted).ok_or(UNKNOWN_ISSUER)
    }

    fn validation(&self, issuer: &IssuerKeys, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = self.settings.clock_skew.0.as_secs();
        validation.validate_nbf = true;
        // `audience.rs` checks the audience.
        validation.validate_aud = false;
        validation.set_issuer(&[&issuer.settings.issuer]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        validation
    }
}

const UNKNOWN_ISSUER: AuthError =
    AuthError::Invalid("this server does not trust the issuer of the token");

fn decode_error(kind: &ErrorKind) -> AuthError {
    AuthError::Invalid(match kind {
        ErrorKind::InvalidSignature => "the signature of the token is invalid",
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::MissingRequiredClaim(claim) if claim == "exp" => {
            "the token has no expiration time (exp)"
        }
        ErrorKind::InvalidIssuer => return UNKNOWN_ISSUER,
        _ => "the token cannot be parsed",
    })
}

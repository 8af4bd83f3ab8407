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
mod fetch;
mod issuer;
mod keys;

use jsonwebtoken::{
    Algorithm, Validation, dangerous::insecure_decode_claims, decode, decode_header,
    errors::ErrorKind,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use self::{audience::Audience, issuer::Issuer};
use super::{Refused, Scope, Who};
use crate::{config, telemetry::Metrics};

/// The claims of a token whose signature was verified.
type Claims = Map<String, Value>;

/// The maximum length of an access token in bytes. Larger ones exceed the header limits of common
/// proxies.
const LONGEST: usize = 16 * 1024;
/// The accepted `typ` headers (RFC 9068, section 2.1). A token without `typ` is accepted too.
const TYPES: &[&str] = &["jwt", "at+jwt", "application/at+jwt"];

/// Verifies access tokens of the trusted authorization servers.
#[derive(Debug)]
pub struct Oauth {
    issuers: Vec<Issuer>,
    settings: config::Oauth,
    group_scopes: Vec<config::GroupScope>,
    audience: Audience,
    /// The highest scope that any caller can use, independent of the token.
    most: Scope,
}

impl Oauth {
    /// Creates the verifier from the settings. Sends no request.
    pub fn from_config(config: &config::Config, metrics: &Metrics) -> Result<Self, String> {
        let settings = &config.auth.oauth;
        let issuers = settings.issuers.iter().map(|issuer| Issuer::new(issuer, settings, metrics));
        Ok(Self {
            issuers: issuers.collect::<Result<_, _>>()?,
            settings: settings.clone(),
            group_scopes: config.auth.group_scopes.clone(),
            audience: Audience::new(config.http.public_url.as_ref()),
            most: match (config.tools.read_only, config.tools.allow_deletes) {
                (true, _) => Scope::Read,
                (false, false) => Scope::Deploy,
                (false, true) => Scope::Admin,
            },
        })
    }

    /// Returns the issuers to advertise to clients, spelled as in the settings.
    pub fn authorization_servers(&self) -> Vec<&str> {
        let advertised = self.settings.issuers.iter().filter(|issuer| issuer.advertised);
        advertised.map(|issuer| issuer.issuer.as_str()).collect()
    }

    /// Returns the issuers for sign-in on the web page, each with the client ID of the page.
    pub fn page_clients(&self) -> Vec<(&config::Issuer, &str)> {
        let issuers = self.settings.issuers.iter();
        issuers.filter_map(|one| Some((one, one.page_client_id.as_deref()?))).collect()
    }

    /// Returns the names of the scopes that are useful with these settings.
    pub fn scopes(&self) -> Vec<&str> {
        let scopes = [Scope::Read, Scope::Deploy, Scope::Admin].into_iter();
        scopes.filter(|scope| self.advertises(*scope)).map(|scope| self.word(scope)).collect()
    }

    /// Returns whether a scope is advertised to clients. Scopes that the settings make useless are
    /// not.
    pub fn advertises(&self, scope: Scope) -> bool {
        scope <= self.most
    }

    /// Returns the name by which clients request a scope.
    pub fn word(&self, scope: Scope) -> &str {
        let names = &self.settings.scope_names;
        let list = match scope {
            Scope::Read => &names.read,
            Scope::Deploy => &names.deploy,
            Scope::Admin => &names.admin,
        };
        list.0.first().map_or(scope.name(), String::as_str)
    }

    /// Returns the URL of documentation for people about this server.
    pub fn documentation(&self) -> Option<&str> {
        self.settings.documentation.as_deref()
    }

    /// Verifies an access token and returns the identity of its caller. `path` is the path of the
    /// endpoint; without configured audiences the token must be issued for that endpoint.
    pub async fn who(&self, token: &str, path: &str) -> Result<Who, Refused> {
        const NOT_ACCEPTED: Refused =
            Refused::Invalid("the token is not a JWT, or its signing algorithm is not accepted");
        if token.len() > LONGEST {
            return Err(Refused::Invalid("the token is longer than 16 KiB"));
        }
        let header = decode_header(token).map_err(|_| NOT_ACCEPTED)?;
        let is_access = |typ: &String| TYPES.contains(&typ.to_ascii_lowercase().as_str());
        if !header.typ.as_ref().is_none_or(is_access) {
            return Err(Refused::Invalid(
                "the token is not an access token; its typ header must be at+jwt or JWT",
            ));
        }
        if header.crit.is_some() {
            return Err(Refused::Invalid(
                "the token has critical header parameters (crit), which are not supported",
            ));
        }
        let issuer = self.issuer(token)?;
        if !issuer.signs_with(header.alg) {
            return Err(NOT_ACCEPTED);
        }
        let key = issuer.key(header.kid.as_deref(), header.alg).await?;
        let validation = self.validation(issuer, header.alg);
        let claims: Claims = match decode(token, &key, &validation) {
            Ok(data) => data.claims,
            Err(error) => return Err(refused(error.kind())),
        };
        // `validation` also accepts an array of issuers that contains the right one; only a single
        // string identifies the issuer.
        if claims.get("iss").and_then(Value::as_str) != Some(&issuer.settings.issuer) {
            return Err(UNKNOWN_ISSUER);
        }
        if !self.audience.accepts(&claims, &issuer.settings, path) {
            return Err(Refused::Invalid("the token was issued for another resource"));
        }
        claims::who(&claims, &issuer.settings, &self.settings, &self.group_scopes)
    }

    /// Returns the trusted issuer that the token claims. The claim is unverified until the
    /// signature is checked with a key of that issuer.
    fn issuer(&self, token: &str) -> Result<&Issuer, Refused> {
        #[derive(Deserialize)]
        struct UnverifiedClaims {
            iss: Option<Value>,
        }
        let claims: UnverifiedClaims = insecure_decode_claims(token)
            .map_err(|_| Refused::Invalid("the claims of the token cannot be parsed"))?;
        let iss = claims.iss.as_ref().and_then(Value::as_str);
        let known = |issuer: &&Issuer| iss == Some(issuer.settings.issuer.as_str());
        self.issuers.iter().find(known).ok_or(UNKNOWN_ISSUER)
    }

    fn validation(&self, issuer: &Issuer, algorithm: Algorithm) -> Validation {
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

const UNKNOWN_ISSUER: Refused =
    Refused::Invalid("this server does not trust the issuer of the token");

fn refused(kind: &ErrorKind) -> Refused {
    Refused::Invalid(match kind {
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

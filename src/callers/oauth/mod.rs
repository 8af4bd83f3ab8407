//! Access tokens of authorization servers (OAuth 2.1): signed JWTs, checked here.
//!
//! | file | holds |
//! | --- | --- |
//! | `issuer.rs` | the keys of one issuer: got, kept, got again |
//! | `fetch.rs` | the documents of an issuer: where they are, and reading them within bounds |
//! | `keys.rs` | which key may have signed what |
//! | `audience.rs` | for whom a token was made |
//! | `claims.rs` | what a token says of its caller |

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

/// What a token says, once its signature is right.
type Claims = Map<String, Value>;

/// Longer than any access token that fits into the headers of usual proxies.
const LONGEST: usize = 16 * 1024;
/// The types of tokens that are access tokens, or do not say (RFC 9068, section 2.1).
const TYPES: &[&str] = &["jwt", "at+jwt", "application/at+jwt"];

/// The authorization servers whose tokens are believed.
#[derive(Debug)]
pub struct Oauth {
    issuers: Vec<Issuer>,
    settings: config::Oauth,
    group_scopes: Vec<config::GroupScope>,
    audience: Audience,
    /// The most that any caller may do, whatever their token says.
    most: Scope,
}

impl Oauth {
    /// The authorization servers of the settings. Nothing is sent yet.
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

    /// Where clients are told to get their tokens, each as the settings write it.
    pub fn authorization_servers(&self) -> Vec<&str> {
        let told = self.settings.issuers.iter().filter(|issuer| issuer.advertised);
        told.map(|issuer| issuer.issuer.as_str()).collect()
    }

    /// Where people can sign in on the page of this server: the issuer, and the ID of the client
    /// that the page is there.
    pub fn page_clients(&self) -> Vec<(&config::Issuer, &str)> {
        let issuers = self.settings.issuers.iter();
        issuers.filter_map(|one| Some((one, one.page_client_id.as_deref()?))).collect()
    }

    /// The words for the scopes that are of use here.
    pub fn scopes(&self) -> Vec<&str> {
        let scopes = [Scope::Read, Scope::Deploy, Scope::Admin].into_iter();
        scopes.filter(|scope| self.advertises(*scope)).map(|scope| self.word(scope)).collect()
    }

    /// Whether clients are told of a scope, because it is of use to somebody here.
    pub fn advertises(&self, scope: Scope) -> bool {
        scope <= self.most
    }

    /// The word by which clients ask for a scope.
    pub fn word(&self, scope: Scope) -> &str {
        let names = &self.settings.scope_names;
        let list = match scope {
            Scope::Read => &names.read,
            Scope::Deploy => &names.deploy,
            Scope::Admin => &names.admin,
        };
        list.0.first().map_or(scope.name(), String::as_str)
    }

    /// A page for people about this server.
    pub fn documentation(&self) -> Option<&str> {
        self.settings.documentation.as_deref()
    }

    /// Whoever's token this is, at the endpoint with this path.
    pub async fn who(&self, token: &str, path: &str) -> Result<Who, Refused> {
        const NO_JWT: Refused = Refused::Invalid(
            "the token is no JWT, or is signed in a way that is not accepted here",
        );
        if token.len() > LONGEST {
            return Err(Refused::Invalid("the token is too long"));
        }
        let header = decode_header(token).map_err(|_| NO_JWT)?;
        let is_access = |typ: &String| TYPES.contains(&typ.to_ascii_lowercase().as_str());
        if !header.typ.as_ref().is_none_or(is_access) {
            return Err(Refused::Invalid("this is another kind of token than an access token"));
        }
        if header.crit.is_some() {
            return Err(Refused::Invalid("the token asks for what is not understood here"));
        }
        let issuer = self.issuer(token)?;
        if !issuer.signs_with(header.alg) {
            return Err(NO_JWT);
        }
        let key = issuer.key(header.kid.as_deref(), header.alg).await?;
        let validation = self.validation(issuer, header.alg);
        let claims: Claims = match decode(token, &key, &validation) {
            Ok(data) => data.claims,
            Err(error) => return Err(refused(error.kind())),
        };
        // An array of issuers, one of which is right, is not that issuer's.
        if claims.get("iss").and_then(Value::as_str) != Some(&issuer.settings.issuer) {
            return Err(UNKNOWN_ISSUER);
        }
        if !self.audience.accepts(&claims, &issuer.settings, path) {
            return Err(Refused::Invalid("the token was made for another resource"));
        }
        claims::who(&claims, &issuer.settings, &self.settings, &self.group_scopes)
    }

    /// The issuer that the token says it is of. That it is, its key shows.
    fn issuer(&self, token: &str) -> Result<&Issuer, Refused> {
        #[derive(Deserialize)]
        struct Says {
            iss: Option<Value>,
        }
        let says: Says = insecure_decode_claims(token)
            .map_err(|_| Refused::Invalid("the content of the token does not read"))?;
        let iss = says.iss.as_ref().and_then(Value::as_str);
        let known = |issuer: &&Issuer| iss == Some(issuer.settings.issuer.as_str());
        self.issuers.iter().find(known).ok_or(UNKNOWN_ISSUER)
    }

    fn validation(&self, issuer: &Issuer, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = self.settings.clock_skew.0.as_secs();
        validation.validate_nbf = true;
        // For whom it was made is a question of its own: `audience.rs`.
        validation.validate_aud = false;
        validation.set_issuer(&[&issuer.settings.issuer]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        validation
    }
}

const UNKNOWN_ISSUER: Refused =
    Refused::Invalid("the token is of an issuer that this server does not trust");

fn refused(kind: &ErrorKind) -> Refused {
    Refused::Invalid(match kind {
        ErrorKind::InvalidSignature => "the signature of the token is not right",
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not good yet",
        ErrorKind::MissingRequiredClaim(claim) if claim == "exp" => {
            "the token does not say when it expires"
        }
        ErrorKind::InvalidIssuer => return UNKNOWN_ISSUER,
        _ => "the token does not read",
    })
}

//! The caller of a request: identity, authentication method and grants.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use secrecy::SecretString;

use crate::{
    config::{GroupScope, TokenScope},
    octopus::{CallerCredentials, Credentials, Fingerprint},
    sanitize::strip::strip_invisible,
};

/// The caller of a request, with the credentials that the request carried. The HTTP layer creates
/// one for each request, and the protocol layer passes it to the tools.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The identity of the caller.
    pub identity: Arc<Identity>,
    /// The Octopus credential sent with the request.
    pub own_credentials: Option<Credentials>,
    /// The bearer token that authenticated the caller, if it may be exchanged for an Octopus
    /// credential (the subject token of RFC 8693).
    pub subject_token: Option<SecretString>,
}

/// The verified identity of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The authentication method.
    pub method: AuthMethod,
    /// The display name, used in logs, policy rules and audit records.
    pub name: String,
    /// The ID of the caller at the issuer.
    pub subject: String,
    /// The issuer of the access token or certificate. `None` for other methods.
    pub issuer: Option<String>,
    /// The OAuth client that the caller uses.
    pub client: Option<String>,
    /// The person or team that is responsible for the credential, from the settings of a token.
    pub owner: Option<String>,
    /// The caller's groups.
    pub groups: Arc<BTreeSet<String>>,
    /// The permissions of the caller on this server.
    pub grants: Grants,
    /// Whether the grants come from the scopes of an access token. If so, the caller can request a
    /// token with more scopes.
    pub is_scoped: bool,
    /// Expiry of the credential.
    pub expires: Option<Timestamp>,
}

/// Authentication method of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum AuthMethod {
    /// Not authenticated.
    #[default]
    #[strum(serialize = "none")]
    Anonymous,
    /// Octopus credential sent with the request.
    Octopus,
    /// Bearer token with a hash configured on this server.
    Token,
    /// Access token of an OAuth authorization server.
    Oauth,
    /// Identity header of a trusted proxy.
    Proxy,
    /// TLS client certificate.
    Certificate,
}

/// Limits on the permissions of a caller on this server. The settings and the permissions of the
/// Octopus credential limit them further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// The highest scope.
    pub scope: TokenScope,
    /// The only toolsets that the caller may use. `None` allows all.
    pub toolsets: Option<BTreeSet<String>>,
    /// The only instances that the caller may reach. `None` allows all.
    pub instances: Option<BTreeSet<String>>,
    /// The only spaces that the caller may reach, by name, slug or ID. `None` allows all.
    pub spaces: Option<BTreeSet<String>>,
}

impl Grants {
    /// Returns whether the grants include this instance.
    pub fn covers_instance(&self, instance: &str) -> bool {
        self.instances.as_ref().is_none_or(|granted| granted.contains(instance))
    }
}

impl Default for Grants {
    /// Grants everything that the settings allow.
    fn default() -> Self {
        Self { scope: TokenScope::Admin, toolsets: None, instances: None, spaces: None }
    }
}

impl Default for Identity {
    /// Returns an unauthenticated caller.
    fn default() -> Self {
        Self {
            method: AuthMethod::Anonymous,
            name: "anybody".to_owned(),
            subject: String::new(),
            issuer: None,
            client: None,
            owner: None,
            groups: Arc::default(),
            grants: Grants::default(),
            is_scoped: false,
            expires: None,
        }
    }
}

impl Identity {
    /// Returns the names that `callers` of a policy rule is matched against: the display name and,
    /// for a caller with an issuer, `issuer|subject`. Display names are not unique;
    /// `issuer|subject` is.
    pub fn policy_names(&self) -> Vec<String> {
        let qualified = self.issuer.as_ref().map(|issuer| format!("{issuer}|{}", self.subject));
        // `|` is replaced so that a display name cannot imitate an `issuer|subject` pair.
        std::iter::once(self.name.replace('|', " ")).chain(qualified).collect()
    }
}

/// Returns the highest scope that the settings assign to one of these groups.
pub(super) fn highest_group_scope(
    groups: &BTreeSet<String>,
    scopes: &[GroupScope],
) -> Option<TokenScope> {
    let matching = scopes.iter().filter(|entry| groups.contains(&entry.group));
    matching.map(|entry| entry.scope).max()
}

/// The maximum length of a display name, in characters.
const MAX_NAME_LENGTH: usize = 100;

/// Makes an external name safe for single-line display in logs and approval requests. Removes
/// invisible characters, replaces line breaks and control characters by spaces, and truncates the
/// name.
pub(super) fn display_name(name: &str) -> String {
    let visible = strip_invisible(name).text;
    let words: Vec<&str> = visible.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(MAX_NAME_LENGTH).collect()
}

impl Identity {
    /// Creates the identity of a caller who sent only an Octopus credential.
    pub fn from_octopus_credentials(credentials: &Credentials) -> Self {
        let fingerprint = credentials.fingerprint().to_string();
        let name = format!("{} {fingerprint}", credentials.type_name());
        Self { method: AuthMethod::Octopus, name, subject: fingerprint, ..Self::default() }
    }

    /// Returns a fingerprint that is unique to this identity, independent of the Octopus
    /// credential.
    pub fn fingerprint(&self) -> Fingerprint {
        let issuer = self.issuer.as_deref().unwrap_or_default();
        Fingerprint::of([<&str>::from(self.method), issuer, &self.subject].map(str::as_bytes))
    }
}

impl Caller {
    /// Creates a caller who is identified by an Octopus credential and acts with it.
    pub fn from_octopus_credentials(credentials: Credentials) -> Self {
        let caller_identity = Arc::new(Identity::from_octopus_credentials(&credentials));
        Self { identity: caller_identity, own_credentials: Some(credentials), subject_token: None }
    }

    /// Returns a fingerprint of the identity and the Octopus credential sent with the request.
    pub fn fingerprint(&self) -> Fingerprint {
        let own = self.own_credentials.as_ref().map(Credentials::fingerprint);
        let own = own.as_ref().map_or(&[][..], |own| own.as_bytes());
        self.identity.fingerprint().combined_with(own)
    }

    /// Returns the inputs for choosing the Octopus credential that acts for this caller.
    pub fn credential_inputs(&self) -> CallerCredentials {
        CallerCredentials {
            own: self.own_credentials.clone(),
            groups: Arc::clone(&self.identity.groups),
            token: self.subject_token.clone(),
        }
    }
}

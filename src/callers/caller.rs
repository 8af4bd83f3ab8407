//! The caller of a request: identity, authentication method and grants.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use secrecy::SecretString;

use crate::{
    config::{self, GroupScope},
    octopus::{Brings, Credentials, Fingerprint},
    text::sanitize::sanitize,
};

/// The caller of a request, with the credentials that the request carried. The HTTP layer creates
/// one for each request, and the protocol layer passes it to the tools.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The identity of the caller.
    pub who: Arc<Who>,
    /// The Octopus credential sent with the request.
    pub own: Option<Credentials>,
    /// The bearer token that authenticated the caller, if it may be exchanged for an Octopus
    /// credential (the subject token of RFC 8693).
    pub token: Option<SecretString>,
}

/// The verified identity of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// How the caller was authenticated.
    pub way: Way,
    /// The display name, used in logs, policy rules and audit records.
    pub name: String,
    /// The ID of the caller at the issuer.
    pub subject: String,
    /// The issuer of the access token or certificate. `None` for other methods.
    pub issuer: Option<String>,
    /// The OAuth client that the caller uses.
    pub client: Option<String>,
    /// The caller's groups.
    pub groups: Arc<BTreeSet<String>>,
    /// What the caller may do on this server.
    pub grants: Grants,
    /// Whether the grants come from the scopes of an access token. If so, the caller can request a
    /// token with more scopes.
    pub is_scoped: bool,
    /// When the credential expires.
    pub expires: Option<Timestamp>,
}

/// How a caller was authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// Not authenticated.
    #[default]
    Nobody,
    /// Octopus credential sent with the request.
    Octopus,
    /// Bearer token whose hash is configured on this server.
    Token,
    /// Access token of an OAuth authorization server.
    Oauth,
    /// Identity header of a trusted proxy.
    Proxy,
    /// TLS client certificate.
    Certificate,
}

/// What a caller may do at most. Each scope includes the previous ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read only; written `octopus:read`.
    Read,
    /// Also create and change: releases, deployments, runbook runs; written `octopus:deploy`.
    Deploy,
    /// Also delete; written `octopus:admin`.
    Admin,
}

/// Limits on what a caller may do on this server. The settings and the permissions of the Octopus
/// credential limit it further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// The highest scope.
    pub scope: Scope,
    /// The only toolsets that the caller may use. `None` allows all.
    pub toolsets: Option<BTreeSet<String>>,
    /// The only instances that the caller may reach. `None` allows all.
    pub instances: Option<BTreeSet<String>>,
    /// The only spaces that the caller may reach, by name, slug or ID. `None` allows all.
    pub spaces: Option<BTreeSet<String>>,
}

impl Grants {
    /// Returns whether the grants include this instance.
    pub fn sees(&self, instance: &str) -> bool {
        self.instances.as_ref().is_none_or(|granted| granted.contains(instance))
    }
}

impl Default for Grants {
    /// Grants everything that the settings allow.
    fn default() -> Self {
        Self { scope: Scope::Admin, toolsets: None, instances: None, spaces: None }
    }
}

impl Default for Who {
    /// An unauthenticated caller.
    fn default() -> Self {
        Self {
            way: Way::Nobody,
            name: "anybody".to_owned(),
            subject: String::new(),
            issuer: None,
            client: None,
            groups: Arc::default(),
            grants: Grants::default(),
            is_scoped: false,
            expires: None,
        }
    }
}

impl Who {
    /// Returns the names that `callers` of a policy rule is matched against: the display name and,
    /// if there is an issuer, `issuer|subject`. Display names are not unique; `issuer|subject` is.
    pub fn words(&self) -> Vec<String> {
        let qualified = self.issuer.as_ref().map(|issuer| format!("{issuer}|{}", self.subject));
        // `|` is replaced so that a display name cannot imitate an `issuer|subject` pair.
        std::iter::once(self.name.replace('|', " ")).chain(qualified).collect()
    }
}

impl Scope {
    /// Returns the scope as written in tokens and `WWW-Authenticate` challenges.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "octopus:read",
            Self::Deploy => "octopus:deploy",
            Self::Admin => "octopus:admin",
        }
    }

    /// Parses a scope as returned by [`TokenScope::name`].
    pub fn read(word: &str) -> Option<Self> {
        [Self::Read, Self::Deploy, Self::Admin].into_iter().find(|scope| scope.name() == word)
    }
}

impl From<config::Scope> for Scope {
    fn from(scope: config::Scope) -> Self {
        match scope {
            config::Scope::Read => Self::Read,
            config::Scope::Deploy => Self::Deploy,
            config::Scope::Admin => Self::Admin,
        }
    }
}

/// Returns the highest scope that the settings assign to one of these groups.
pub(super) fn scope_of_groups(groups: &BTreeSet<String>, scopes: &[GroupScope]) -> Option<Scope> {
    let matching = scopes.iter().filter(|entry| groups.contains(&entry.group));
    matching.map(|entry| entry.scope.into()).max()
}

/// The maximum length of a display name, in characters.
const LONGEST_NAME: usize = 100;

/// Makes an external name safe for single-line display in logs and approval requests. Removes
/// invisible characters, replaces line breaks and control characters by spaces, and truncates the
/// name.
pub(super) fn displayed(name: &str) -> String {
    let seen = sanitize(name).text;
    let words: Vec<&str> = seen.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST_NAME).collect()
}

impl Way {
    /// Returns the method as written in logs and audit records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nobody => "none",
            Self::Octopus => "octopus",
            Self::Token => "token",
            Self::Oauth => "oauth",
            Self::Proxy => "proxy",
            Self::Certificate => "certificate",
        }
    }
}

impl Who {
    /// Creates the identity of a caller who sent only an Octopus credential.
    pub fn of_octopus(credentials: &Credentials) -> Self {
        let fingerprint = credentials.fingerprint().to_string();
        let name = format!("{} {fingerprint}", credentials.kind());
        Self { way: Way::Octopus, name, subject: fingerprint, ..Self::default() }
    }

    /// Returns a fingerprint that is unique to this identity, independent of the Octopus
    /// credential.
    pub fn fingerprint(&self) -> Fingerprint {
        let issuer = self.issuer.as_deref().unwrap_or_default();
        Fingerprint::of([self.way.name(), issuer, &self.subject].map(str::as_bytes))
    }
}

impl Caller {
    /// Creates a caller who is identified by an Octopus credential and acts with it.
    pub fn of_octopus(credentials: Credentials) -> Self {
        let who = Arc::new(Who::of_octopus(&credentials));
        Self { who, own: Some(credentials), token: None }
    }

    /// Returns a fingerprint of the identity and the Octopus credential sent with the request.
    pub fn fingerprint(&self) -> Fingerprint {
        let own = self.own.as_ref().map(Credentials::fingerprint);
        let own = own.as_ref().map_or(&[][..], |own| own.as_bytes());
        self.who.fingerprint().and(own)
    }

    /// Returns the inputs for choosing the Octopus credential that acts for this caller.
    pub fn brings(&self) -> Brings {
        Brings {
            own: self.own.clone(),
            groups: Arc::clone(&self.who.groups),
            token: self.token.clone(),
        }
    }
}

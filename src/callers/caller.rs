//! Whoever's request this is.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use secrecy::SecretString;

use crate::{
    config::{self, GroupScope},
    octopus::{Brings, Credentials, Fingerprint},
    text::sanitize::sanitize,
};

/// Whoever's request this is. The listener makes one for each request, and the protocol carries it
/// to the tools.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// Who they are.
    pub who: Arc<Who>,
    /// The Octopus credential that they sent with the request.
    pub own: Option<Credentials>,
    /// The token that they proved who they are with, where it may be exchanged for a credential.
    pub token: Option<SecretString>,
}

/// Who a caller is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// How this is known.
    pub way: Way,
    /// What people call them: in logs, rules and records.
    pub name: String,
    /// Who they are to whoever vouches for them.
    pub subject: String,
    /// Who vouches for them, where somebody else does.
    pub issuer: Option<String>,
    /// The OAuth client that they use.
    pub client: Option<String>,
    /// The groups that they are in.
    pub groups: Arc<BTreeSet<String>>,
    /// What they may do here at most.
    pub grants: Grants,
    /// Whether an access token of theirs says how much that is, so that another could say more.
    pub is_scoped: bool,
    /// When what they proved it with is no longer good.
    pub expires: Option<Timestamp>,
}

/// How a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// Not at all.
    #[default]
    Nobody,
    /// By their Octopus credential.
    Octopus,
    /// By a token that this server knows by its hash.
    Token,
    /// By an access token of an authorization server.
    Oauth,
    /// By a header of a proxy that is trusted.
    Proxy,
    /// By the certificate of a TLS client.
    Certificate,
}

/// How much a caller may do, each more than the one before: `octopus:read` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read.
    Read,
    /// Make and change things as well: release, deploy, run.
    Deploy,
    /// Remove things as well.
    Admin,
}

/// What a caller may do here at most. The settings and the rights of the Octopus credential bound
/// it further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// How much.
    pub scope: Scope,
    /// With these toolsets alone.
    pub toolsets: Option<BTreeSet<String>>,
    /// At these instances alone.
    pub instances: Option<BTreeSet<String>>,
    /// In these spaces alone, by name, slug or ID.
    pub spaces: Option<BTreeSet<String>>,
}

impl Grants {
    /// Whether it covers this instance.
    pub fn sees(&self, instance: &str) -> bool {
        self.instances.as_ref().is_none_or(|granted| granted.contains(instance))
    }
}

impl Default for Grants {
    /// Everything that the settings allow.
    fn default() -> Self {
        Self { scope: Scope::Admin, toolsets: None, instances: None, spaces: None }
    }
}

impl Default for Who {
    /// Whoever reaches the listener.
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
    /// The words for the caller in rules: the name, which people or an issuer chose, and where
    /// somebody vouches for them, `issuer|subject`, which nobody else has.
    pub fn words(&self) -> Vec<String> {
        let vouched = self.issuer.as_ref().map(|issuer| format!("{issuer}|{}", self.subject));
        // No name passes for one of those.
        std::iter::once(self.name.replace('|', " ")).chain(vouched).collect()
    }
}

impl Scope {
    /// The word for it, as it stands in tokens and challenges.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "octopus:read",
            Self::Deploy => "octopus:deploy",
            Self::Admin => "octopus:admin",
        }
    }

    /// The scope with this word.
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

/// The most that one of these groups may do, where the settings say so of any.
pub(super) fn scope_of_groups(groups: &BTreeSet<String>, scopes: &[GroupScope]) -> Option<Scope> {
    let of_ours = scopes.iter().filter(|one| groups.contains(&one.group));
    of_ours.map(|one| one.scope.into()).max()
}

/// How long a name may be that somebody else gives.
const LONGEST_NAME: usize = 100;

/// A name that somebody else gives, as it may stand in lines and questions: nothing in it that is
/// not seen, and on one line.
pub(super) fn displayed(name: &str) -> String {
    let seen = sanitize(name).text;
    let words: Vec<&str> = seen.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST_NAME).collect()
}

impl Way {
    /// The word for it.
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
    /// A caller who is known by their Octopus credential alone.
    pub fn of_octopus(credentials: &Credentials) -> Self {
        let fingerprint = credentials.fingerprint().to_string();
        let name = format!("{} {fingerprint}", credentials.kind());
        Self { way: Way::Octopus, name, subject: fingerprint, ..Self::default() }
    }

    /// Tells this caller from every other, whatever credential acts for them.
    pub fn fingerprint(&self) -> Fingerprint {
        let issuer = self.issuer.as_deref().unwrap_or_default();
        Fingerprint::of([self.way.name(), issuer, &self.subject].map(str::as_bytes))
    }
}

impl Caller {
    /// A caller who is known by their Octopus credential, and acts with it.
    pub fn of_octopus(credentials: Credentials) -> Self {
        let who = Arc::new(Who::of_octopus(&credentials));
        Self { who, own: Some(credentials), token: None }
    }

    /// Tells this caller, with what they sent, from every other.
    pub fn fingerprint(&self) -> Fingerprint {
        let own = self.own.as_ref().map(Credentials::fingerprint);
        let own = own.as_ref().map_or(&[][..], |own| own.as_bytes());
        self.who.fingerprint().and(own)
    }

    /// What they bring to the question which Octopus credential acts.
    pub fn brings(&self) -> Brings {
        Brings {
            own: self.own.clone(),
            groups: Arc::clone(&self.who.groups),
            token: self.token.clone(),
        }
    }
}

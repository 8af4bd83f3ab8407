//! Scope of a caller.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::rule::Tier;

/// Permissions of a caller. Each scope includes the previous ones.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum TokenScope {
    /// Read only.
    #[default]
    Read,
    /// Read, create and change.
    Deploy,
    /// Read, create, change and delete.
    Admin,
}

impl TokenScope {
    /// Returns the scope as written in tokens and `WWW-Authenticate` challenges.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "octopus:read",
            Self::Deploy => "octopus:deploy",
            Self::Admin => "octopus:admin",
        }
    }

    /// Returns the highest tier of calls with this scope.
    pub fn tier(self) -> Tier {
        match self {
            Self::Read => Tier::Read,
            Self::Deploy => Tier::Write,
            Self::Admin => Tier::Delete,
        }
    }

    /// Returns the lowest scope for calls of this tier.
    pub fn for_tier(tier: Tier) -> Self {
        match tier {
            Tier::Read => Self::Read,
            Tier::Write => Self::Deploy,
            Tier::Delete => Self::Admin,
        }
    }

    /// Parses a scope as returned by [`TokenScope::name`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Read, Self::Deploy, Self::Admin].into_iter().find(|scope| scope.name() == word)
    }
}

/// Scope of the members of a group.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupScope {
    /// Name of the group.
    pub group: String,
    /// Scope: `read` (default), `deploy` or `admin`.
    pub scope: TokenScope,
}

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
    strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
pub enum TokenScope {
    /// Read only; written `octopus:read` in tokens and challenges.
    #[default]
    #[strum(serialize = "octopus:read")]
    Read,
    /// Read, create and change; written `octopus:deploy`.
    #[strum(serialize = "octopus:deploy")]
    Deploy,
    /// Read, create, change and delete; written `octopus:admin`.
    #[strum(serialize = "octopus:admin")]
    Admin,
}

impl TokenScope {
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

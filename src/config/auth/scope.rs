//! How much a caller may do, as the settings say it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a caller may do, each more than the one before.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Read.
    #[default]
    Read,
    /// Make and change things as well.
    Deploy,
    /// Remove things as well.
    Admin,
}

/// How much the members of a group may do.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupScope {
    /// The group.
    pub group: String,
    /// How much: `read`, `deploy` or `admin`.
    pub scope: Scope,
}

//! Scope of a caller.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Permissions of a caller. Each scope includes the previous ones.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum TokenScopeSetting {
    /// Read only.
    #[default]
    Read,
    /// Read, create and change.
    Deploy,
    /// Read, create, change and delete.
    Admin,
}

/// Scope of the members of a group.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupScope {
    /// Name of the group.
    pub group: String,
    /// Scope: `read` (default), `deploy` or `admin`.
    pub scope: TokenScopeSetting,
}

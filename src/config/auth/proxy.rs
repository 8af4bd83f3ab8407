//! The settings of callers whom a trusted proxy names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scope;

/// The header of a trusted proxy that names the caller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Proxy {
    /// The header with the caller's name for machines. The proxy must set it anew, or remove it,
    /// on every request.
    pub user_header: String,
    /// A header with the caller's groups, with commas.
    pub groups_header: Option<String>,
    /// A header with the caller's name for people.
    pub name_header: Option<String>,
    /// How much a caller may do where no group says: `read`, `deploy` or `admin`.
    pub scope: Scope,
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            user_header: "X-Forwarded-User".to_owned(),
            groups_header: None,
            name_header: None,
            scope: Scope::Read,
        }
    }
}

impl Proxy {
    /// The headers that name a caller, with the keys of their settings.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let user = Some(("auth.proxy.user_header", self.user_header.as_str()));
        let others = [
            self.groups_header.as_deref().map(|name| ("auth.proxy.groups_header", name)),
            self.name_header.as_deref().map(|name| ("auth.proxy.name_header", name)),
        ];
        user.into_iter().chain(others.into_iter().flatten())
    }
}

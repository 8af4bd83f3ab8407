//! Settings of authentication by a trusted proxy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TokenScope;

/// Identity headers of a trusted proxy.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProxyAuthSettings {
    /// Header with the unique name of the caller (default `X-Forwarded-User`). The proxy must set
    /// or remove it on every request.
    pub user_header: String,
    /// Header with the groups of the caller, separated by commas.
    pub groups_header: Option<String>,
    /// Header with the display name of the caller.
    pub name_header: Option<String>,
    /// Scope of callers if no group determines it: `read` (default), `deploy` or `admin`.
    pub scope: TokenScope,
}

impl Default for ProxyAuthSettings {
    fn default() -> Self {
        Self {
            user_header: "X-Forwarded-User".to_owned(),
            groups_header: None,
            name_header: None,
            scope: TokenScope::Read,
        }
    }
}

impl ProxyAuthSettings {
    /// Returns the configured identity headers with the keys of their settings.
    pub fn identity_headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let user = Some(("auth.proxy.user_header", self.user_header.as_str()));
        let others = [
            self.groups_header.as_deref().map(|name| ("auth.proxy.groups_header", name)),
            self.name_header.as_deref().map(|name| ("auth.proxy.name_header", name)),
        ];
        user.into_iter().chain(others.into_iter().flatten())
    }
}

//! Authentication by identity headers of a trusted proxy.

use std::{collections::BTreeSet, sync::Arc};

use super::{AuthError, AuthMethod, Grants, Identity, caller::display_name, highest_group_scope};
use crate::config;

/// The maximum length of the user and group headers together, in bytes.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// The identity headers of a trusted proxy.
#[derive(Debug, Clone, Copy)]
pub struct ProxyHeaders<'a> {
    /// The ID of the caller.
    pub user: &'a str,
    /// The groups of the caller, separated by commas.
    pub groups: Option<&'a str>,
    /// The display name of the caller.
    pub name: Option<&'a str>,
}

/// Returns the identity in the headers of a proxy. The caller of this function has already checked
/// that the proxy is trusted.
pub(super) fn identify(
    named: &ProxyHeaders<'_>,
    settings: &config::ProxyAuthSettings,
    group_scopes: &[config::GroupScope],
) -> Result<Identity, AuthError> {
    let user = named.user.trim();
    if user.is_empty() {
        return Err(AuthError::Invalid("the identity header of the proxy is empty"));
    }
    if user.len() + named.groups.map_or(0, str::len) > MAX_HEADER_BYTES {
        return Err(AuthError::Invalid("the identity headers of the proxy exceed 8 KiB"));
    }
    let groups: BTreeSet<String> = named
        .groups
        .unwrap_or_default()
        .split(',')
        .map(|group| group.trim().to_owned())
        .filter(|group| !group.is_empty())
        .collect();
    let scope = highest_group_scope(&groups, group_scopes).unwrap_or(settings.scope);
    let name = named.name.filter(|name| !name.trim().is_empty()).unwrap_or(user);
    Ok(Identity {
        method: AuthMethod::Proxy,
        name: display_name(name),
        subject: user.to_owned(),
        issuer: None,
        client: None,
        owner: None,
        groups: Arc::new(groups),
        grants: Grants { scope, ..Grants::default() },
        is_scoped: false,
        expires: None,
    })
}

//! Authentication by identity headers of a trusted proxy.

use std::{collections::BTreeSet, sync::Arc};

use super::{Grants, Refused, Scope, Way, Who, caller::displayed, scope_of_groups};
use crate::config;

/// The maximum length of the user and group headers together, in bytes.
const LONGEST: usize = 8 * 1024;

/// The identity headers of a trusted proxy.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The ID of the caller.
    pub user: &'a str,
    /// The groups of the caller, separated by commas.
    pub groups: Option<&'a str>,
    /// The display name of the caller.
    pub name: Option<&'a str>,
}

/// Returns the identity in the headers of a proxy. The caller of this function has already checked
/// that the proxy is trusted.
pub(super) fn who(
    named: &Named<'_>,
    settings: &config::Proxy,
    group_scopes: &[config::GroupScope],
) -> Result<Who, Refused> {
    let user = named.user.trim();
    if user.is_empty() {
        return Err(Refused::Invalid("the identity header of the proxy is empty"));
    }
    if user.len() + named.groups.map_or(0, str::len) > LONGEST {
        return Err(Refused::Invalid("the identity headers of the proxy exceed 8 KiB"));
    }
    let groups: BTreeSet<String> = named
        .groups
        .unwrap_or_default()
        .split(',')
        .map(|group| group.trim().to_owned())
        .filter(|group| !group.is_empty())
        .collect();
    let scope = scope_of_groups(&groups, group_scopes).unwrap_or(Scope::from(settings.scope));
    let name = named.name.filter(|name| !name.trim().is_empty()).unwrap_or(user);
    Ok(Who {
        way: Way::Proxy,
        name: displayed(name),
        subject: user.to_owned(),
        issuer: None,
        client: None,
        groups: Arc::new(groups),
        grants: Grants { scope, ..Grants::default() },
        is_scoped: false,
        expires: None,
    })
}

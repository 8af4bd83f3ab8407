//! Callers whom a trusted proxy names.

use std::{collections::BTreeSet, sync::Arc};

use super::{Grants, Refused, Scope, Way, Who, caller::displayed, scope_of_groups};
use crate::config;

/// How long what a proxy says of a caller may be.
const LONGEST: usize = 8 * 1024;

/// What the headers of a trusted proxy say.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The caller.
    pub user: &'a str,
    /// Their groups, with commas.
    pub groups: Option<&'a str>,
    /// Their name for people.
    pub name: Option<&'a str>,
}

/// Whom a trusted proxy names. That the proxy is trusted was asked before.
pub(super) fn who(
    named: &Named<'_>,
    settings: &config::Proxy,
    group_scopes: &[config::GroupScope],
) -> Result<Who, Refused> {
    let user = named.user.trim();
    if user.is_empty() {
        return Err(Refused::Invalid("the proxy names no caller"));
    }
    if user.len() + named.groups.map_or(0, str::len) > LONGEST {
        return Err(Refused::Invalid("what the proxy says of the caller is too long"));
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

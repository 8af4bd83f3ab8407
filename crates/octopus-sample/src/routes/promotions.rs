//! Environments that a release can be deployed to, and tenant connections.

use serde_json::Value;

use super::super::database::{Database, Item};
use super::progression;

/// Returns the IDs of the environments that a release can be deployed to: those of completed phases
/// and of the current phase. For a tenant, phases contain only its connected environments.
pub(super) fn allowed<'a>(
    database: &'a Database,
    project: &'a Item,
    release: &Item,
    tenant: Option<&Item>,
) -> Vec<&'a str> {
    let mut phases = database.phases(project, release.text("ChannelId"));
    if phases.is_empty() {
        let all = database.environments.of_space(&project.space_id);
        return all.map(|environment| environment.id.as_str()).collect();
    }
    if let Some(tenant) = tenant {
        for phase in &mut phases {
            phase.environments.retain(|id| is_connected(tenant, &project.id, id));
        }
        phases.retain(|phase| !phase.environments.is_empty());
    }
    let is_own = |deployment: &&Item| {
        deployment.text("ReleaseId") == release.id
            && tenant.is_none_or(|tenant| deployment.text("TenantId") == tenant.id)
    };
    let deployments: Vec<&Item> = database.deployments.of_project(project).filter(is_own).collect();
    let current = progression::current(database, &phases, &deployments);
    let next = progression::next(&phases, current);
    let passed = phases.iter().take(current).flat_map(|phase| phase.environments.iter().copied());
    passed.chain(next).collect()
}

/// Returns whether a tenant is connected to an environment of a project.
pub(super) fn is_connected(tenant: &Item, project_id: &str, environment_id: &str) -> bool {
    let map = tenant.body.get("ProjectEnvironments").and_then(|map| map.get(project_id));
    let ids = map.and_then(Value::as_array).into_iter().flatten();
    ids.filter_map(Value::as_str).any(|id| id.eq_ignore_ascii_case(environment_id))
}

/// Returns whether a tenant matches the tags of a channel. Channels without tags match all tenants.
pub(super) fn is_for(channel: Option<&Item>, tenant: &Item) -> bool {
    let tags: Vec<&str> =
        channel.into_iter().flat_map(|channel| channel.texts("TenantTags")).collect();
    tags.is_empty() || tenant.texts("TenantTags").any(|tag| tags.contains(&tag))
}

//! Where a release may be deployed to, and whose tenants are there.

use serde_json::Value;

use super::super::world::{Item, World};
use super::progression;

/// The IDs of the environments a release may be deployed to now: those it has been through, and
/// those of the phase that is its turn. The way of a tenant has only the environments that the
/// tenant is connected to.
pub(super) fn allowed<'a>(
    world: &'a World,
    project: &'a Item,
    release: &Item,
    tenant: Option<&Item>,
) -> Vec<&'a str> {
    let mut phases = world.phases(project, release.text("ChannelId"));
    if phases.is_empty() {
        let all = world.environments.of_space(&project.space_id);
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
    let deployments: Vec<&Item> = world.deployments.of_project(project).filter(is_own).collect();
    let current = progression::current(world, &phases, &deployments);
    let next = progression::next(&phases, current);
    let passed = phases.iter().take(current).flat_map(|phase| phase.environments.iter().copied());
    passed.chain(next).collect()
}

/// Whether a tenant is connected to an environment of a project.
pub(super) fn is_connected(tenant: &Item, project_id: &str, environment_id: &str) -> bool {
    let map = tenant.body.get("ProjectEnvironments").and_then(|map| map.get(project_id));
    let ids = map.and_then(Value::as_array).into_iter().flatten();
    ids.filter_map(Value::as_str).any(|id| id.eq_ignore_ascii_case(environment_id))
}

/// Whether a channel is for a tenant: one without tags is for all.
pub(super) fn is_for(channel: Option<&Item>, tenant: &Item) -> bool {
    let tags: Vec<&str> =
        channel.into_iter().flat_map(|channel| channel.texts("TenantTags")).collect();
    tags.is_empty() || tenant.texts("TenantTags").any(|tag| tags.contains(&tag))
}

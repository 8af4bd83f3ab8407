//! Kubernetes live status of a project in an environment.

use serde_json::{Map, Value, json};

use super::super::call::Call;
use super::super::clock::{MINUTE, NOW, timestamp};
use super::super::database::{LiveStatus, Resource};
use super::super::random::uuid;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::version::Feature;
use super::{missing, project_lookup};

/// Answers `/projects/{project}/environments/{environment}/...`.
pub(super) fn answer(
    call: &Call<'_>,
    project: &str,
    environment: &str,
    path: &[&str],
) -> ApiResult {
    call.require_feature(Feature::KubernetesLiveStatus)?;
    call.require("DeploymentView")?;
    let (tenant, path) = match path {
        ["untenanted", rest @ ..] => (None, rest),
        ["tenants", tenant, rest @ ..] => (Some(*tenant), rest),
        _ => return Err(ApiError::NoRoute),
    };
    let found = find(call, project, environment, tenant)?;
    match path {
        ["livestatus"] => {
            let summary_only = call.query.switch("summaryOnly") == Some(true);
            Ok(ApiResponse::value(&match found {
                Some(live) => body(live, summary_only),
                None => no_report(call, project),
            }))
        }
        ["machines", machine, "resources", id, rest @ ..] => {
            let live = found.filter(|live| live.machine_id.eq_ignore_ascii_case(machine));
            let live = live.ok_or_else(|| missing(machine))?;
            let resource = by_id(live, &live.resources, "", id).ok_or_else(|| missing(id))?;
            match rest {
                [] => Ok(ApiResponse::value(&json!({ "Resource": detail(live, &resource) }))),
                ["manifest"] => Ok(ApiResponse::value(&manifest(live, resource.resource))),
                _ => Err(ApiError::NoRoute),
            }
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Returns the report of the monitor, after checking that project, environment and tenant exist.
fn find<'a>(
    call: &Call<'a>,
    project: &str,
    environment: &str,
    tenant: Option<&str>,
) -> Result<Option<&'a LiveStatus>, ApiError> {
    let space = call.space_id();
    let project = project_lookup::find(call, project)?;
    let known = call.database.environments.find_in(space, environment);
    let environment = known.ok_or_else(|| missing(environment))?;
    let known = |id| call.database.tenants.find_in(space, id).ok_or_else(|| missing(id));
    let tenant = tenant.map(known).transpose()?.map(|tenant| tenant.id.as_str());
    Ok(call.database.live_statuses.iter().find(|live| {
        live.space_id == space
            && live.project_id == project.id
            && live.environment_id == environment.id
            && live.tenant_id.as_deref() == tenant
    }))
}

/// Returns the response for a project, environment and tenant without a live status report. The
/// status of a project without Kubernetes steps is not supported.
fn no_report(call: &Call<'_>, project: &str) -> Value {
    let project = project_lookup::find(call, project).ok();
    let process = project.and_then(|project| call.database.scripts.process(&project.id));
    if !process.is_some_and(|process| process.steps.iter().any(|step| step.kind == "Kubernetes")) {
        return json!({
            "MachineStatuses": [],
            "Summary": {
                "Status": "NotSupported", "HealthStatus": "NotSupported",
                "SyncStatus": "NotApplicable", "SyncStatusMessage": null,
                "LastUpdated": "1970-01-01T00:00:00Z", "TotalOrphanCount": 0,
            },
        });
    }
    json!({
        "MachineStatuses": [],
        "Summary": {
            "Status": "Unavailable", "HealthStatus": "Unavailable", "SyncStatus": "Unavailable",
            "SyncStatusMessage": null, "LastUpdated": timestamp(NOW), "TotalOrphanCount": 0,
        },
    })
}

fn body(live: &LiveStatus, summary_only: bool) -> Value {
    let machines = json!([{
        "MachineId": live.machine_id,
        "Status": live.status,
        "Resources": live.resources.iter().map(|resource| tree(live, resource, "")).collect::<Vec<_>>(),
    }]);
    let instances: Vec<Value> =
        live.argo_instances.iter().map(|name| json!({ "Name": name })).collect();
    json!({
        "MachineStatuses": if summary_only { json!([]) } else { machines },
        "ArgoCDInstanceStatuses": if summary_only { json!([]) } else { json!(instances) },
        "Summary": {
            "Status": live.status,
            "HealthStatus": live.health_status,
            "SyncStatus": live.sync_status,
            "SyncStatusMessage": live.sync_status_message,
            "LastUpdated": updated(live),
            "TotalOrphanCount": orphans(&live.resources),
        },
    })
}

fn orphans(resources: &[Resource]) -> usize {
    let orphan = |one: &Resource| usize::from(one.orphaned_at.is_some()) + orphans(&one.children);
    resources.iter().map(orphan).sum()
}

fn updated(live: &LiveStatus) -> String {
    timestamp(NOW - live.minutes_ago * MINUTE)
}

/// A resource with its position. Its ID derives from the position.
struct PositionedResource<'a> {
    resource: &'a Resource,
    place: String,
}

fn place(live: &LiveStatus, resource: &Resource, above: &str) -> String {
    if above.is_empty() {
        let tenant = live.tenant_id.as_deref().unwrap_or("untenanted");
        let scope = format!("{}/{}/{tenant}", live.project_id, live.environment_id);
        format!("{scope}/{}/{}", resource.kind, resource.name)
    } else {
        format!("{above}/{}/{}", resource.kind, resource.name)
    }
}

/// Returns the ID of the desired state. Only the roots of the trees were deployed and have one.
fn desired_id(resource: &Resource, place: &str) -> Option<String> {
    resource.sync_status.as_ref().map(|_| uuid(&format!("desired {place}")))
}

fn by_id<'a>(
    live: &LiveStatus,
    resources: &'a [Resource],
    above: &str,
    id: &str,
) -> Option<PositionedResource<'a>> {
    resources.iter().find_map(|resource| {
        let place = place(live, resource, above);
        if uuid(&place) == id || desired_id(resource, &place).as_deref() == Some(id) {
            return Some(PositionedResource { resource, place });
        }
        by_id(live, &resource.children, &place, id)
    })
}

fn tree(live: &LiveStatus, resource: &Resource, above: &str) -> Value {
    let place = place(live, resource, above);
    let children = resource.children.iter().map(|child| tree(live, child, &place));
    json!({
        "Name": resource.name,
        "Namespace": live.namespace,
        "Kind": resource.kind,
        "Group": resource.group,
        "HealthStatus": resource.health_status,
        "SyncStatus": resource.sync_status,
        "HealthStatusMessage": resource.health_status_message,
        "SyncStatusMessage": resource.sync_status_message,
        "MachineId": live.machine_id,
        "Children": children.collect::<Vec<_>>(),
        "DesiredResourceId": desired_id(resource, &place),
        "ResourceId": uuid(&place),
        "ResourceSourceId": live.machine_id,
        "SourceType": "KubernetesMonitor",
        "OrphanedAt": resource.orphaned_at,
        "DeletionTaskState": resource.deletion_task_state,
        "LastUpdated": updated(live),
    })
}

fn detail(live: &LiveStatus, placed: &PositionedResource<'_>) -> Value {
    let resource = placed.resource;
    let above = placed.place.rsplitn(3, '/').nth(2).unwrap_or_default();
    let is_top = resource.sync_status.is_some();
    let mut detail = tree(live, resource, if is_top { "" } else { above });
    let containers: Vec<Value> =
        resource.image.iter().map(|image| json!({ "Name": "app", "Image": image })).collect();
    let rest: Map<String, Value> = Map::from_iter([
        (
            "ManifestSummary".to_owned(),
            json!({
                "Kind": resource.kind,
                "Labels": { "app.kubernetes.io/name": live.namespace },
                "Annotations": {},
                "CreationTimestamp": timestamp(NOW - 180 * MINUTE),
                "Containers": containers.iter().map(|_| "app").collect::<Vec<_>>(),
                "ContainerDetails": containers,
            }),
        ),
        ("ExternalLink".to_owned(), Value::Null),
    ]);
    if let Some(detail) = detail.as_object_mut() {
        detail.extend(rest);
    }
    detail
}

fn manifest(live: &LiveStatus, resource: &Resource) -> Value {
    let text = |note: &str| {
        format!(
            "apiVersion: {}v1\nkind: {}\nmetadata:\n  name: {}\n  namespace: {}\n{note}",
            if resource.group.is_empty() { String::new() } else { format!("{}/", resource.group) },
            resource.kind,
            resource.name,
            live.namespace
        )
    };
    let is_out_of_sync = resource.sync_status.as_deref() == Some("OutOfSync");
    let note = resource.sync_status_message.as_deref().unwrap_or_default();
    let (left, right) = (text(""), text(&format!("# {note}\n")));
    json!({
        "LiveManifest": if is_out_of_sync { &right } else { &left },
        "DesiredManifest": resource.sync_status.is_some().then_some(&left),
        "Diff": is_out_of_sync.then(|| json!({ "Left": left, "Right": right, "Diff": format!("+# {note}\n") })),
    })
}

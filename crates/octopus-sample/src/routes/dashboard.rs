//! The dashboard.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::database::{Database, Item};
use super::super::response::{ApiResponse, ApiResult};

/// Answers `/dashboard`: the newest deployment of each project, environment and tenant.
pub(super) fn answer(call: &Call<'_>) -> ApiResult {
    call.require("DeploymentView")?;
    let tags = call.query.list("selectedTags");
    let tenants: Vec<&Item> = call
        .database
        .tenants
        .of_space(call.space_id())
        .filter(|tenant| call.one_of("selectedTenants", &tenant.id))
        .filter(|tenant| {
            tags.is_empty() || tenant.texts("TenantTags").any(|tag| tags.contains(&tag))
        })
        .collect();
    let narrowed = call.query.text("selectedTenants").is_some() || !tags.is_empty();
    let shown = |deployment: &Item| {
        call.one_of("projectId", deployment.text("ProjectId"))
            && call.one_of("releaseId", deployment.text("ReleaseId"))
            && (!narrowed || tenants.iter().any(|tenant| tenant.id == deployment.text("TenantId")))
    };
    let projects = |project: &Item| call.one_of("projectId", &project.id);
    Ok(render(call, &tenants, shown, projects, |_| true, narrowed))
}

/// Answers `/dashboard/dynamic`: the same for some projects and environments.
pub(super) fn dynamic(call: &Call<'_>) -> ApiResult {
    call.require("DeploymentView")?;
    let tenants: Vec<&Item> = call.database.tenants.of_space(call.space_id()).collect();
    let shown = |deployment: &Item| {
        call.one_of("projects", deployment.text("ProjectId"))
            && call.one_of("environments", deployment.text("EnvironmentId"))
    };
    let projects = |project: &Item| call.one_of("projects", &project.id);
    let environments = |environment: &Item| call.one_of("environments", &environment.id);
    Ok(render(call, &tenants, shown, projects, environments, false))
}

fn render(
    call: &Call<'_>,
    tenants: &[&Item],
    shown: impl Fn(&Item) -> bool,
    projects: impl Fn(&Item) -> bool,
    environments: impl Fn(&Item) -> bool,
    is_filtered: bool,
) -> ApiResponse {
    let database = call.database;
    let space = call.space_id();
    let environments: Vec<&Item> =
        database.environments.of_space(space).filter(|item| environments(item)).collect();
    let environment_ids: Vec<&str> = environments.iter().map(|item| item.id.as_str()).collect();
    let named = |item: &Item, self_link: &str| {
        json!({
            "Id": item.id, "Name": item.text("Name"),
            "Links": { "Self": format!("/api/{space}/{self_link}/{}", item.id) },
        })
    };
    let mut seen = HashSet::new();
    let newest = database.deployments.of_space(space).filter(|item| shown(item)).filter(|item| {
        seen.insert(["ProjectId", "EnvironmentId", "TenantId"].map(|key| item.text(key)))
    });
    let body = json!({
        "Projects": database.projects.of_space(space).filter(|project| projects(project))
            .map(|project| json!({
                "Id": project.id, "Name": project.text("Name"), "Slug": project.text("Slug"),
                "ProjectGroupId": project.text("ProjectGroupId"),
                "EnvironmentIds": environment_ids,
                "TenantedDeploymentMode": project.text("TenantedDeploymentMode"),
                "CanPerformUntenantedDeployment": project.text("TenantedDeploymentMode") != "Tenanted",
                "IsDisabled": project.flag("IsDisabled"),
                "Links": { "Self": format!("/api/{space}/projects/{}", project.id) },
            })).collect::<Vec<_>>(),
        "ProjectGroups": database.project_groups.of_space(space).map(|group| json!({
            "Id": group.id, "Name": group.text("Name"), "EnvironmentIds": environment_ids,
        })).collect::<Vec<_>>(),
        "Environments":
            environments.iter().map(|item| named(item, "environments")).collect::<Vec<_>>(),
        "Tenants": tenants.iter().map(|tenant| json!({
            "Id": tenant.id, "Name": tenant.text("Name"),
            "TenantTags": tenant.body.get("TenantTags"),
            "ProjectEnvironments": tenant.body.get("ProjectEnvironments"),
            "IsDisabled": tenant.flag("IsDisabled"),
            "Links": { "Self": format!("/api/{space}/tenants/{}", tenant.id) },
        })).collect::<Vec<_>>(),
        "Items": newest.map(|deployment| item(database, deployment, true)).collect::<Vec<_>>(),
        "PreviousItems": [],
        "ProjectLimit": null,
        "IsFiltered": is_filtered,
        "Links": { "Self": call.path },
    });
    ApiResponse::value(&body)
}

/// Returns a deployment with fields of its task.
pub(super) fn item(database: &Database, deployment: &Item, is_current: bool) -> Value {
    let task = database.tasks.find(deployment.text("TaskId")).map(|task| &task.body);
    let of_task = |key: &str| task.and_then(|task| task.get(key)).cloned().unwrap_or(Value::Null);
    let own = |key: &str| deployment.body.get(key).cloned().unwrap_or(Value::Null);
    let release = database.releases.find(deployment.text("ReleaseId"));
    let space = &deployment.space_id;
    json!({
        "Id": deployment.id,
        "ProjectId": own("ProjectId"),
        "EnvironmentId": own("EnvironmentId"),
        "ReleaseId": own("ReleaseId"),
        "DeploymentId": deployment.id,
        "TaskId": own("TaskId"),
        "TenantId": own("TenantId"),
        "ChannelId": own("ChannelId"),
        "ReleaseVersion": release.map(|release| release.text("Version")),
        "Created": own("Created"),
        "QueueTime": of_task("QueueTime"),
        "StartTime": of_task("StartTime"),
        "CompletedTime": of_task("CompletedTime"),
        "State": of_task("State"),
        "HasPendingInterruptions": of_task("HasPendingInterruptions"),
        "HasPendingPreconditions": false,
        "HasWarningsOrErrors": of_task("HasWarningsOrErrors"),
        "ErrorMessage": of_task("ErrorMessage"),
        "Duration": of_task("Duration"),
        "IsCurrent": is_current,
        "IsPrevious": false,
        "IsCompleted": of_task("IsCompleted"),
        "PendingInterruptionTypes": of_task("PendingInterruptionTypes"),
        "PendingPreconditionTypes": [],
        "Links": {
            "Self": format!("/api/{space}/deployments/{}", deployment.id),
            "Release": format!("/api/{space}/releases/{}", deployment.text("ReleaseId")),
            "Task": format!("/api/tasks/{}", deployment.text("TaskId")),
        },
    })
}

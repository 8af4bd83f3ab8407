//! Previews of deployments and runbook runs, with their prompted variables.

use serde_json::{Value, json};

use super::super::activity;
use super::super::call::Call;
use super::super::database::{Database, Item, PromptScope, complete, form};
use super::super::random::uuid;
use super::super::request_body::RequestBody;
use super::super::response::{ApiError, ApiResponse, ApiResult, Content};
use super::runbooks::{self, RunbookVersion};
use super::{missing, project_lookup, promotions};

/// Maximum number of releases in the changes of a deployment.
const MAX_CHANGES: usize = 20;

/// Answers `/releases/{id}/deployments/template` and `.../preview/{environmentId}/{tenantId}`.
pub(super) fn of_release(call: &Call<'_>, release: &Item, path: &[&str]) -> ApiResult {
    call.require("DeploymentView")?;
    let project = project_lookup::find(call, release.text("ProjectId"))?;
    match path {
        ["template"] => Ok(template(call, project, release)),
        ["preview", environment] => {
            preview(call, project, release, known(call, environment)?, None)
        }
        ["preview", environment, tenant] => {
            let found = call.database.tenants.find_in(call.space_id(), tenant);
            let tenant = found.ok_or_else(|| missing(tenant))?;
            preview(call, project, release, known(call, environment)?, Some(tenant))
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Answers a POST to `.../deployments/previews` or `.../runbookRuns/previews`: the previews of the
/// environments and tenants in the body. `one` answers the GET of one preview.
pub(super) fn several(input: &RequestBody, one: impl Fn(&[&str]) -> ApiResult) -> ApiResult {
    let body = input.object()?;
    let invalid = || ApiError::Invalid(vec!["'DeploymentPreviews' must not be empty.".to_owned()]);
    let requested = body.get("DeploymentPreviews").and_then(Value::as_array).ok_or_else(invalid)?;
    let mut shown = Vec::new();
    for target in requested {
        let id = |key: &str| target.get(key).and_then(Value::as_str);
        let below: Vec<&str> = id("EnvironmentId").into_iter().chain(id("TenantId")).collect();
        match one(&below)?.content {
            Content::Whole(bytes) => shown.push(serde_json::from_slice(&bytes).unwrap_or_default()),
            Content::Stream(_) => return Err(ApiError::NoRoute),
        }
    }
    Ok(ApiResponse::value(&Value::Array(shown)))
}

fn known<'a>(call: &Call<'a>, id: &str) -> Result<&'a Item, ApiError> {
    call.database.environments.find_in(call.space_id(), id).ok_or_else(|| missing(id))
}

fn template(call: &Call<'_>, project: &Item, release: &Item) -> ApiResponse {
    let database = call.database;
    let path = format!("/api/{}/releases/{}", release.space_id, release.id);
    let targets_of = |tenant: Option<&Item>| {
        let ids = promotions::allowed(database, project, release, tenant).into_iter();
        let environments = ids.filter_map(|id| database.environments.find(id));
        let shown = environments.map(|environment| {
            let tenant_segment = tenant.map(|tenant| format!("/{}", tenant.id)).unwrap_or_default();
            let link = format!(
                "{path}/deployments/preview/{}{tenant_segment}{{?includeDisabledSteps}}",
                environment.id
            );
            json!({
                "Id": environment.id, "Name": environment.text("Name"),
                "Links": { "Preview": link },
            })
        });
        shown.collect::<Vec<Value>>()
    };
    let mode = project.text("TenantedDeploymentMode");
    let channel = database.channels.find(release.text("ChannelId"));
    let tenants = database.tenants.of_space(&project.space_id).filter(|tenant| {
        let map = tenant.body.get("ProjectEnvironments");
        mode != "Untenanted"
            && !tenant.flag("IsDisabled")
            && map.is_some_and(|map| map.get(&project.id).is_some())
            && promotions::is_for(channel, tenant)
    });
    let of_tenants = tenants.map(|tenant| {
        json!({ "Id": tenant.id, "Name": tenant.text("Name"), "PromoteTo": targets_of(Some(tenant)) })
    });
    ApiResponse::value(&json!({
        "Id": release.id,
        "IsDeploymentProcessModified": false,
        "IsVariableSetModified": false,
        "IsLibraryVariableSetModified": false,
        "PromoteTo": if mode == "Tenanted" { Vec::new() } else { targets_of(None) },
        "TenantPromotions": of_tenants.collect::<Vec<_>>(),
        "DeploymentNotes": null,
        "Links": { "Self": format!("{path}/deployments/template"), "Release": path },
    }))
}

fn preview(
    call: &Call<'_>,
    project: &Item,
    release: &Item,
    environment: &Item,
    tenant: Option<&Item>,
) -> ApiResult {
    if tenant.is_some_and(|t| !promotions::is_connected(t, &project.id, &environment.id)) {
        let reason = "The tenant is not connected to this environment of the project.";
        return Err(ApiError::BadRequest(reason.to_owned()));
    }
    let process = call.database.scripts.process(&project.id);
    let steps = process.into_iter().flat_map(|process| process.steps_for(&environment.id));
    let steps = steps.enumerate().map(|(position, step)| {
        let id = uuid(&format!("{}/{}", project.id, step.slug));
        let names = (id.as_str(), step.name.as_str(), position);
        render(call, environment, names, step.target_role.as_deref(), step.is_required)
    });
    let scope = PromptScope {
        environment_id: Some(&environment.id),
        tenant_id: tenant.map(|tenant| tenant.id.as_str()),
        is_snapshot: true,
    };
    let prompts = call.database.prompts_of(&project.id, scope);
    let changes = changes(call.database, project, release, environment, tenant);
    let steps = steps.collect::<Vec<_>>();
    let mut body = answered(call, &release.id, environment, &steps, &form(prompts));
    if let Value::Object(body) = &mut body {
        complete(body, change_summaries(&changes));
    }
    Ok(ApiResponse::value(&body))
}

/// Returns the releases since the last successful deployment to the target, newest first: each
/// release up to the deployed one, in the channel of the release.
fn changes<'a>(
    database: &'a Database,
    project: &'a Item,
    release: &Item,
    environment: &Item,
    tenant: Option<&Item>,
) -> Vec<&'a Item> {
    let last = database.deployments.of_project(project).find(|deployment| {
        let task = database.tasks.find(deployment.text("TaskId"));
        deployment.text("EnvironmentId") == environment.id
            && deployment.text("TenantId") == tenant.map_or("", |tenant| tenant.id.as_str())
            && task.is_some_and(|task| task.text("State") == "Success")
    });
    let last = last.map(|deployment| deployment.text("ReleaseId"));
    let releases = database.releases.of_project(project).skip_while(|other| other.id != release.id);
    let is_in_channel = |other: &&Item| other.text("ChannelId") == release.text("ChannelId");
    let since = releases.take_while(|other| Some(other.id.as_str()) != last);
    since.filter(is_in_channel).take(MAX_CHANGES).collect()
}

/// Answers `.../runbookRunTemplate`, or `.../runbookRuns/preview/{id}` for an environment.
pub(super) fn of_runbook(
    call: &Call<'_>,
    version: &RunbookVersion<'_>,
    path: &[&str],
) -> ApiResult {
    let RunbookVersion { body: runbook, process, is_snapshot } = *version;
    let text = |key: &str| runbook.get(key).and_then(Value::as_str).unwrap_or_default();
    let project = project_lookup::find(call, text("ProjectId"))?;
    let id = text("Id");
    let allowed = runbooks::environments(call.database, project, runbook);
    let [environment, rest @ ..] = path else {
        let preview = call.path.replace("runbookruntemplate", "runbookRuns/preview");
        let shown = allowed.iter().map(|environment| {
            let link = format!("{preview}/{}{{?includeDisabledSteps}}", environment.id);
            json!({
                "Id": environment.id, "Name": environment.text("Name"),
                "Links": { "RunbookRunPreview": link },
            })
        });
        return Ok(ApiResponse::value(&json!({
            "Id": id, "IsRunbookProcessModified": false, "IsVariableSetModified": false,
            "IsLibraryVariableSetModified": false, "PromoteTo": shown.collect::<Vec<_>>(),
            "TenantPromotions": [], "Links": {},
        })));
    };
    let environment = known(call, environment)?;
    let tenant = match rest {
        [] => None,
        [tenant, ..] => {
            let found = call.database.tenants.find_in(call.space_id(), tenant);
            Some(found.ok_or_else(|| missing(tenant))?)
        }
    };
    if tenant.is_some_and(|t| !promotions::is_connected(t, &project.id, &environment.id)) {
        let reason = "The tenant is not connected to this environment of the project.";
        return Err(ApiError::BadRequest(reason.to_owned()));
    }
    let steps = process.and_then(|process| process.get("Steps")?.as_array());
    let steps = steps.into_iter().flatten().enumerate().map(|(position, step)| {
        let own = |key: &str| step.get(key).and_then(Value::as_str).unwrap_or_default();
        let role = step.get("Properties").and_then(|all| all.get("Octopus.Action.TargetRoles"));
        let names = (own("Id"), own("Name"), position);
        render(call, environment, names, role.and_then(Value::as_str), is_required(step))
    });
    let scope = PromptScope {
        environment_id: Some(&environment.id),
        tenant_id: tenant.map(|tenant| tenant.id.as_str()),
        is_snapshot,
    };
    let prompts = call.database.prompts_of(id, scope);
    let body = answered(call, id, environment, &steps.collect::<Vec<_>>(), &form(prompts));
    Ok(ApiResponse::value(&body))
}

/// Returns whether a step of a runbook process cannot be skipped.
pub(super) fn is_required(step: &Value) -> bool {
    let actions = step.get("Actions").and_then(Value::as_array).into_iter().flatten();
    let mut required = actions.filter_map(|action| action.get("IsRequired")?.as_bool());
    required.any(|required| required)
}

fn render(
    call: &Call<'_>,
    environment: &Item,
    (id, name, position): (&str, &str, usize),
    role: Option<&str>,
    is_required: bool,
) -> Value {
    let machines: Vec<&Item> = role
        .into_iter()
        .flat_map(|role| {
            activity::targets(call.database, &environment.id, role).collect::<Vec<_>>()
        })
        .collect();
    let shown = machines.iter().map(|machine| {
        json!({
            "Id": machine.id, "Name": machine.text("Name"), "HasLatestCalamari": true,
            "HealthStatus": "Healthy",
        })
    });
    let names: Vec<&str> = machines.iter().map(|machine| machine.text("Name")).collect();
    json!({
        "ActionId": id, "ActionName": name, "ActionNumber": (position + 1).to_string(),
        "Roles": role.into_iter().collect::<Vec<_>>(),
        "Machines": shown.collect::<Vec<_>>(), "MachineNames": names,
        "ExcludedMachines": [], "UnavailableMachines": [], "CanBeSkipped": !is_required,
        "IsDisabled": false, "HasNoApplicableMachines": role.is_some() && names.is_empty(),
    })
}

/// Returns build information in the form of changes, which names no issue tracker.
fn change_build(build: &Value) -> Value {
    let mut build = build.clone();
    if let Value::Object(build) = &mut build {
        build.remove("IssueTrackerName");
    }
    build
}

/// Returns `Changes` and `ChangesMarkdown` for these releases.
fn change_summaries(changes: &[&Item]) -> Value {
    let rendered = changes.iter().map(|release| {
        let notes = release.text("ReleaseNotes");
        format!("# Release {}\n{notes}\n", release.text("Version"))
    });
    let markdown = rendered.collect::<Vec<_>>().join("\n");
    let shown = changes.iter().map(|release| {
        let of_builds = |key: &str| -> Vec<&Value> {
            let builds =
                release.list("BuildInformation").filter_map(|build| build.get(key)?.as_array());
            builds.flatten().collect()
        };
        json!({
            "Version": release.text("Version"), "ReleaseNotes": release.body.get("ReleaseNotes"),
            "BuildInformation": release.list("BuildInformation").map(change_build).collect::<Vec<_>>(),
            "Commits": of_builds("Commits"), "WorkItems": of_builds("WorkItems"),
        })
    });
    json!({ "Changes": shown.collect::<Vec<_>>(), "ChangesMarkdown": markdown })
}

fn answered(call: &Call<'_>, id: &str, environment: &Item, steps: &[Value], form: &Value) -> Value {
    json!({
        "Id": id,
        "StepsToExecute": steps,
        "Form": form,
        "UseGuidedFailureModeByDefault": environment.flag("UseGuidedFailure"),
        "Links": { "Self": call.path },
    })
}

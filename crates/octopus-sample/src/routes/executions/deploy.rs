//! `/deployments/create/untenanted/v1` and `/deployments/create/tenanted/v1`.

use serde_json::{Value, json};

use super::super::super::clock::{self, NOW, SECOND};
use super::super::super::database::{Database, DeploymentFacts, Item, PromptScope, State};
use super::super::super::history::{deployment_body, task_of};
use super::super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::promotions;
use super::super::write_request::WriteRequest;
use super::lookup::{ExecutionOptions, environments, form_values, project, tenants, wrong};

/// Release and project of a deployment.
struct Subject<'a> {
    project: &'a Item,
    release: &'a Item,
}

/// Environment, tenant and form values of one deployment.
struct Target<'a> {
    environment: &'a Item,
    tenant: Option<&'a Item>,
    form_values: Value,
}

pub(super) fn untenanted(change: &WriteRequest<'_>, draft: &mut Database) -> ApiResult {
    let (call, input) = (change.call, change.input);
    let subject = subject(change)?;
    let environments = environments(call, &input.texts("EnvironmentNames"))?;
    if environments.is_empty() {
        return Ok(nothing());
    }
    if subject.project.text("TenantedDeploymentMode") == "Tenanted" {
        return wrong(format!(
            "The project '{}' can only be deployed to tenants.",
            subject.project.text("Name")
        ));
    }
    let targets =
        environments.into_iter().map(|environment| target(change, &subject, environment, None));
    let targets = targets.collect::<Result<Vec<_>, ApiError>>()?;
    deploy(change, draft, &subject, &targets)
}

pub(super) fn tenanted(change: &WriteRequest<'_>, draft: &mut Database) -> ApiResult {
    let (call, input) = (change.call, change.input);
    let subject = subject(change)?;
    let project = subject.project;
    if input.texts("Tenants").is_empty() && input.texts("TenantTags").is_empty() {
        return Ok(nothing());
    }
    let names: Vec<&str> = input.text("EnvironmentName").into_iter().collect();
    let environments = environments(call, &names)?;
    if project.text("TenantedDeploymentMode") == "Untenanted" {
        return wrong(format!(
            "The project '{}' can not be deployed to tenants.",
            project.text("Name")
        ));
    }
    let channel = call.database.channels.find(subject.release.text("ChannelId"));
    let mut targets = Vec::new();
    for environment in environments {
        for tenant in tenants(call, input, project, environment)? {
            if !promotions::is_for(channel, tenant) {
                return wrong(format!(
                    "The tenant '{}' has none of the tags of the channel of the release.",
                    tenant.text("Name")
                ));
            }
            targets.push(target(change, &subject, environment, Some(tenant))?);
        }
    }
    deploy(change, draft, &subject, &targets)
}

/// Returns the answer to a request without targets, which Octopus accepts.
fn nothing() -> ApiResponse {
    ApiResponse::value(&json!({ "DeploymentServerTasks": [] }))
}

fn subject<'a>(change: &WriteRequest<'a>) -> Result<Subject<'a>, ApiError> {
    let (call, input) = (change.call, change.input);
    call.require("DeploymentCreate")?;
    let project = project(call, input)?;
    let Some(version) = input.text("ReleaseVersion") else {
        return wrong("'Release Version' must not be empty.".to_owned());
    };
    let mut releases = call.database.releases.of_project(project);
    match releases.find(|release| release.text("Version").eq_ignore_ascii_case(version)) {
        Some(release) => Ok(Subject { project, release }),
        None => wrong(format!(
            "The release with the version '{version}' was not found in the project '{}'.",
            project.text("Name")
        )),
    }
}

/// Returns a target. Fails if lifecycle or freezes forbid the deployment, or a value is missing.
fn target<'a>(
    change: &WriteRequest<'a>,
    subject: &Subject<'_>,
    environment: &'a Item,
    tenant: Option<&'a Item>,
) -> Result<Target<'a>, ApiError> {
    let (call, input) = (change.call, change.input);
    let Subject { project, release } = *subject;
    let name = environment.text("Name");
    let allowed = promotions::allowed(call.database, project, release, tenant);
    if !allowed.contains(&environment.id.as_str()) {
        return wrong(format!(
            "Release '{}' of '{}' cannot be deployed to the environment '{name}': the lifecycle \
             does not allow it yet.",
            release.text("Version"),
            project.text("Name")
        ));
    }
    let overridden = input.texts("DeploymentFreezeNames");
    let reason = input.text("DeploymentFreezeOverrideReason");
    let start = input.text("RunAt").and_then(clock::parse).unwrap_or(NOW);
    let tenant_id = tenant.map(|tenant| tenant.id.as_str());
    let is_overridden = |freeze: &Item| {
        let is = |name: &&str| name.eq_ignore_ascii_case(freeze.text("Name"));
        reason.is_some() && overridden.iter().any(is)
    };
    let freezes = call.database.freezes_of(&project.id, &environment.id, tenant_id, start);
    let (lifted, holding): (Vec<&Item>, Vec<&Item>) =
        freezes.partition(|freeze| is_overridden(freeze));
    if !holding.is_empty() {
        let names: Vec<&str> = holding.iter().map(|freeze| freeze.text("Name")).collect();
        return wrong(format!(
            "Deployments of '{}' to '{name}' are prevented by the deployment freezes: {}.",
            project.text("Name"),
            names.join(", ")
        ));
    }
    if !lifted.is_empty() {
        call.require("DeploymentFreezeAdminister")?;
    }
    let scope = PromptScope { environment_id: Some(&environment.id), tenant_id, is_snapshot: true };
    let prompts = call.database.prompts_of(&project.id, scope);
    Ok(Target { environment, tenant, form_values: form_values(input, prompts)? })
}

/// Fails if the request overrides freezes, but none of them is active for a target.
fn check_overrides(
    change: &WriteRequest<'_>,
    subject: &Subject<'_>,
    targets: &[Target<'_>],
) -> Result<(), ApiError> {
    let (call, input) = (change.call, change.input);
    let overridden = input.texts("DeploymentFreezeNames");
    let has_reason = input.text("DeploymentFreezeOverrideReason").is_some();
    if overridden.is_empty() == has_reason {
        let reason =
            "Names of deployment freezes and the reason of the override require each other.";
        return wrong(reason.to_owned());
    }
    let start = input.text("RunAt").and_then(clock::parse).unwrap_or(NOW);
    let mut active = targets.iter().flat_map(|target| {
        let tenant_id = target.tenant.map(|tenant| tenant.id.as_str());
        call.database.freezes_of(&subject.project.id, &target.environment.id, tenant_id, start)
    });
    let is_overridden = |freeze: &Item| {
        overridden.iter().any(|name| name.eq_ignore_ascii_case(freeze.text("Name")))
    };
    if !overridden.is_empty() && !active.any(is_overridden) {
        return wrong("Unable to override freezes, no valid freezes were specified.".to_owned());
    }
    Ok(())
}

fn deploy(
    change: &WriteRequest<'_>,
    draft: &mut Database,
    subject: &Subject<'_>,
    targets: &[Target<'_>],
) -> ApiResult {
    let (call, input) = (change.call, change.input);
    check_overrides(change, subject, targets)?;
    let process = call.database.scripts.process(&subject.project.id);
    let steps = process.into_iter().flat_map(|process| &process.steps);
    let steps: Vec<(&str, bool)> =
        steps.map(|step| (step.name.as_str(), step.is_required)).collect();
    let options = ExecutionOptions::read(call, input, &steps)?;
    let mut made = Vec::new();
    for target in targets {
        let tenant_id = target.tenant.map(|tenant| tenant.id.clone());
        let waits = options.run_at.is_some_and(|at| at > NOW)
            || is_busy(draft, subject.project, target.environment, tenant_id.as_deref());
        let facts = DeploymentFacts {
            id: draft.deployments.next_id("Deployments"),
            task_id: draft.tasks.next_id("ServerTasks"),
            release_id: subject.release.id.clone(),
            environment_id: target.environment.id.clone(),
            tenant_id,
            created: NOW - 2 * SECOND,
            duration_seconds: 0,
            state: if waits { State::Queued } else { State::Executing },
            failure: None,
            has_warnings: false,
            pending_interruption: None,
            guidance: None,
            retried_steps: Vec::new(),
            by_user_id: call.user.id.to_owned(),
            comments: String::new(),
            trace: None,
        };
        let mut body = deployment_body(draft, &facts, call.version);
        options.write(&mut body, target.form_values.clone());
        draft.deployments.put(body);
        if let Some(mut task) = task_of(draft, &facts) {
            task.queued = options.run_at.unwrap_or(task.queued);
            draft.put_task(task, call.version);
        }
        made.push(json!({ "DeploymentId": facts.id, "ServerTaskId": facts.task_id }));
    }
    Ok(ApiResponse::value(&json!({ "DeploymentServerTasks": made })))
}

/// Returns whether a deployment of the project is running in the environment.
fn is_busy(
    database: &Database,
    project: &Item,
    environment: &Item,
    tenant_id: Option<&str>,
) -> bool {
    let mut deployments = database.deployments.of_project(project);
    deployments.any(|deployment| {
        let facts = || database.task_facts.get(deployment.text("TaskId"));
        deployment.text("EnvironmentId") == environment.id
            && deployment.text("TenantId") == tenant_id.unwrap_or_default()
            && facts().is_some_and(|facts| !facts.state.is_completed())
    })
}

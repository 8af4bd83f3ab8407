//! `/deployments/create/untenanted/v1` and `/deployments/create/tenanted/v1`.

use serde_json::{Value, json};

use super::super::super::answer::{Answer, Answered, Refusal};
use super::super::super::clock::{NOW, SECOND};
use super::super::super::history::{DeploymentFacts, State, deployment_body, task_of};
use super::super::super::world::{Item, World};
use super::super::changes::Change;
use super::super::promotion;
use super::lookup::{Manner, environments, form_values, project, tenants, wrong};

/// What is deployed.
struct Subject<'a> {
    project: &'a Item,
    release: &'a Item,
}

/// Where to, for whom, and with which values.
struct Target<'a> {
    environment: &'a Item,
    tenant: Option<&'a Item>,
    form_values: Value,
}

pub(super) fn untenanted(change: &Change<'_>, draft: &mut World) -> Answered {
    let (call, order) = (change.call, change.order);
    let subject = subject(change)?;
    let environments = environments(call, &order.texts("EnvironmentNames"))?;
    if subject.project.text("TenantedDeploymentMode") == "Tenanted" {
        return wrong(format!(
            "The project '{}' can only be deployed to tenants.",
            subject.project.text("Name")
        ));
    }
    let targets =
        environments.into_iter().map(|environment| target(change, &subject, environment, None));
    let targets = targets.collect::<Result<Vec<_>, Refusal>>()?;
    deploy(change, draft, &subject, &targets)
}

pub(super) fn tenanted(change: &Change<'_>, draft: &mut World) -> Answered {
    let (call, order) = (change.call, change.order);
    let subject = subject(change)?;
    let project = subject.project;
    let names: Vec<&str> = order.text("EnvironmentName").into_iter().collect();
    let environments = environments(call, &names)?;
    if project.text("TenantedDeploymentMode") == "Untenanted" {
        return wrong(format!(
            "The project '{}' can not be deployed to tenants.",
            project.text("Name")
        ));
    }
    let channel = call.world.channels.find(subject.release.text("ChannelId"));
    let mut targets = Vec::new();
    for environment in environments {
        for tenant in tenants(call, order, project, environment)? {
            if !promotion::is_for(channel, tenant) {
                return wrong(format!(
                    "The tenant '{}' has none of the tags of the channel of the release.",
                    tenant.text("Name")
                ));
            }
            targets.push(target(change, &subject, environment, Some(tenant))?);
        }
    }
    if targets.is_empty() {
        return wrong("At least one tenant or tenant tag must be specified.".to_owned());
    }
    deploy(change, draft, &subject, &targets)
}

fn subject<'a>(change: &Change<'a>) -> Result<Subject<'a>, Refusal> {
    let (call, order) = (change.call, change.order);
    call.need("DeploymentCreate")?;
    let project = project(call, order)?;
    let Some(version) = order.text("ReleaseVersion") else {
        return wrong("'Release Version' must not be empty.".to_owned());
    };
    let mut releases = call.world.releases.of_project(project);
    match releases.find(|release| release.text("Version").eq_ignore_ascii_case(version)) {
        Some(release) => Ok(Subject { project, release }),
        None => wrong(format!(
            "The release with the version '{version}' was not found in the project '{}'.",
            project.text("Name")
        )),
    }
}

/// A target, where lifecycle and freezes let the release through and no value is missing.
fn target<'a>(
    change: &Change<'a>,
    subject: &Subject<'_>,
    environment: &'a Item,
    tenant: Option<&'a Item>,
) -> Result<Target<'a>, Refusal> {
    let (call, order) = (change.call, change.order);
    let Subject { project, release } = *subject;
    let name = environment.text("Name");
    let allowed = promotion::allowed(call.world, project, release, tenant);
    if !allowed.contains(&environment.id.as_str()) {
        return wrong(format!(
            "Release '{}' of '{}' cannot be deployed to the environment '{name}': the lifecycle \
             does not allow it yet.",
            release.text("Version"),
            project.text("Name")
        ));
    }
    let overridden = order.texts("DeploymentFreezeNames");
    let reason = order.text("DeploymentFreezeOverrideReason");
    let is_overridden = |freeze: &Item| {
        let is = |name: &&str| name.eq_ignore_ascii_case(freeze.text("Name"));
        reason.is_some() && overridden.iter().any(is)
    };
    let freezes = call.world.freezes_of(&project.id, &environment.id, NOW);
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
        call.need("DeploymentFreezeAdminister")?;
    }
    let prompts = call.world.prompts_of(&project.id, Some(&environment.id));
    Ok(Target { environment, tenant, form_values: form_values(order, prompts)? })
}

fn deploy(
    change: &Change<'_>,
    draft: &mut World,
    subject: &Subject<'_>,
    targets: &[Target<'_>],
) -> Answered {
    let (call, order) = (change.call, change.order);
    let process = call.world.scripts.process(&subject.project.id);
    let steps = process.into_iter().flat_map(|process| &process.steps);
    let steps: Vec<&str> = steps.map(|step| step.name.as_str()).collect();
    let manner = Manner::read(call, order, &steps)?;
    let mut made = Vec::new();
    for target in targets {
        let tenant_id = target.tenant.map(|tenant| tenant.id.clone());
        let waits = manner.run_at.is_some_and(|at| at > NOW)
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
            by_user_id: call.user.id.to_owned(),
            comments: String::new(),
            trace: None,
        };
        let mut body = deployment_body(draft, &facts);
        manner.write(&mut body, target.form_values.clone());
        draft.deployments.put(body);
        if let Some(mut task) = task_of(draft, &facts) {
            task.queued = manner.run_at.unwrap_or(task.queued);
            draft.put_task(task, call.version);
        }
        made.push(json!({ "DeploymentId": facts.id, "ServerTaskId": facts.task_id }));
    }
    Ok(Answer::created(&json!({ "DeploymentServerTasks": made })))
}

/// Whether something of the project is being deployed there.
fn is_busy(world: &World, project: &Item, environment: &Item, tenant_id: Option<&str>) -> bool {
    let mut deployments = world.deployments.of_project(project);
    deployments.any(|deployment| {
        let facts = || world.task_facts.get(deployment.text("TaskId"));
        deployment.text("EnvironmentId") == environment.id
            && deployment.text("TenantId") == tenant_id.unwrap_or_default()
            && facts().is_some_and(|facts| !facts.state.is_completed())
    })
}

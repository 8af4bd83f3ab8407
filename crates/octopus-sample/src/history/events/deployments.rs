//! What happened to releases, deployments and runbook runs.

use serde_json::Value;

use super::draft::Draft;
use crate::clock::{MINUTE, NOW, SECOND, parse};
use crate::history::{State, TaskFacts};
use crate::world::{Item, World};

pub(super) fn drafts(world: &World) -> Vec<Draft> {
    let mut drafts: Vec<Draft> =
        world.releases.iter().map(|release| created(world, release)).collect();
    // In the order of the tasks, so that two worlds tell the same.
    for facts in world.tasks.iter().filter_map(|task| world.task_facts.get(&task.id)) {
        match facts.name.as_str() {
            "Deploy" => drafts.extend(of_deployment(world, facts)),
            "RunbookRun" => drafts.extend(of_run(world, facts)),
            _ => drafts.push(queued(facts)),
        }
    }
    drafts.extend(world.interruptions.iter().flat_map(|found| of_interruption(world, found)));
    drafts.retain(|draft| draft.occurred <= NOW);
    drafts
}

fn created(world: &World, release: &Item) -> Draft {
    let project = release.text("ProjectId");
    let at = parse(release.text("Assembled")).unwrap_or(NOW);
    Draft::new(at, "Created", &release.space_id)
        .by("Users-62")
        .says("Release ")
        .names(release.text("Version"), &release.id)
        .says(" of ")
        .names(World::name_in(&world.projects, project), project)
        .says(" was created")
        .about([release.text("ChannelId")])
}

/// What is said of every stage of a deployment.
fn stage(world: &World, deployment: &Item, at: i64, category: &'static str, words: &str) -> Draft {
    let text = |key| deployment.text(key);
    let release = world.releases.find(text("ReleaseId"));
    let draft = Draft::new(at, category, &deployment.space_id)
        .names(text("Name"), &deployment.id)
        .says(&format!(" {words} for "))
        .names(World::name_in(&world.projects, text("ProjectId")), text("ProjectId"))
        .says(" release ")
        .names(release.map_or("", |release| release.text("Version")), text("ReleaseId"))
        .says(" to ")
        .names(World::name_in(&world.environments, text("EnvironmentId")), text("EnvironmentId"));
    let draft = match text("TenantId") {
        "" => draft,
        tenant => draft.says(" for ").names(World::name_in(&world.tenants, tenant), tenant),
    };
    draft.about([text("TaskId"), text("ChannelId")])
}

fn of_deployment(world: &World, facts: &TaskFacts) -> Vec<Draft> {
    let Some(deployment) =
        facts.deployment.as_ref().and_then(|facts| world.deployments.find(&facts.id))
    else {
        return Vec::new();
    };
    let by = deployment.text("DeployedById");
    let stage = |at, category, words| stage(world, deployment, at, category, words);
    let mut drafts = vec![stage(facts.queued, "DeploymentQueued", "was queued").by(by)];
    if let Some(started) = facts.started() {
        drafts.push(stage(started, "DeploymentStarted", "started"));
    }
    if let Some(completed) = facts.completed() {
        drafts.push(match facts.state {
            State::Success => stage(completed, "DeploymentSucceeded", "succeeded"),
            State::Canceled => stage(completed, "TaskCanceled", "was canceled").by(by),
            _ => stage(completed, "DeploymentFailed", "failed"),
        });
    }
    drafts
}

fn of_run(world: &World, facts: &TaskFacts) -> Vec<Draft> {
    let run = facts.arguments.get("RunbookRunId").and_then(Value::as_str).unwrap_or_default();
    let project = facts.project_id.as_deref().unwrap_or_default();
    let stage = |at, category, words: &str| {
        Draft::new(at, category, facts.space_id.as_deref().unwrap_or_default())
            .names(&facts.description, run)
            .says(&format!(" {words} for "))
            .names(World::name_in(&world.projects, project), project)
            .about([facts.id.as_str()])
    };
    let mut drafts = vec![stage(facts.queued, "RunbookRunQueued", "was queued").by("Users-41")];
    if let Some((started, completed)) = facts.started().zip(facts.completed()) {
        drafts.push(stage(started, "RunbookRunStarted", "started"));
        drafts.push(match facts.state {
            State::Success => stage(completed, "RunbookRunSucceeded", "succeeded"),
            _ => stage(completed, "RunbookRunFailed", "failed"),
        });
    }
    drafts
}

/// Tasks that the server gives itself; nobody looks at these events.
fn queued(facts: &TaskFacts) -> Draft {
    let space = facts.space_id.as_deref().unwrap_or_default();
    let draft = Draft::new(facts.queued, "TaskQueued", space)
        .names(&facts.description, &facts.id)
        .says(" was queued");
    Draft { is_internal: true, ..draft }
}

fn of_interruption(world: &World, interruption: &Item) -> Vec<Draft> {
    let at = parse(interruption.text("Created")).unwrap_or(NOW);
    let related: Vec<&str> = interruption.texts("RelatedDocumentIds").collect();
    let is_manual = interruption.text("Type") == "ManualIntervention";
    let category = if is_manual {
        "ManualInterventionInterruptionRaised"
    } else {
        "GuidedFailureInterruptionRaised"
    };
    let find = |id: &&&str| world.deployments.find(id).is_some();
    let deployment = related.iter().find(find).copied().unwrap_or_default();
    let name = world.deployments.find(deployment).map_or("", |found| found.text("Name"));
    let draft = |at, category| {
        Draft::new(at, category, &interruption.space_id).about(related.iter().copied())
    };
    let mut drafts = vec![
        draft(at, category)
            .names(interruption.text("Title"), &interruption.id)
            .says(" waits for an answer in ")
            .names(name, deployment),
    ];
    if !interruption.flag("IsPending") && is_manual {
        let by = interruption.text("ResponsibleUserId");
        let at = at + 5 * SECOND;
        drafts.push(
            draft(at.min(NOW - MINUTE), "DeploymentResumed")
                .by(by)
                .names(name, deployment)
                .says(" was resumed"),
        );
    }
    drafts
}

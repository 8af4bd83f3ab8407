//! Events about releases, deployments and runbook runs.

use serde_json::Value;

use super::draft::EventDraft;
use crate::clock::{MINUTE, NOW, SECOND, parse};
use crate::database::{Database, Item, State, TaskFacts};

pub(super) fn drafts(database: &Database) -> Vec<EventDraft> {
    let mut drafts: Vec<EventDraft> =
        database.releases.iter().map(|release| created(database, release)).collect();
    // In the order of the tasks, so that two databases have the same events.
    for facts in database.tasks.iter().filter_map(|task| database.task_facts.get(&task.id)) {
        match facts.name.as_str() {
            "Deploy" => drafts.extend(of_deployment(database, facts)),
            "RunbookRun" => drafts.extend(of_run(database, facts)),
            _ => drafts.push(queued(facts)),
        }
    }
    drafts.extend(database.interruptions.iter().flat_map(|found| of_interruption(database, found)));
    drafts.retain(|draft| draft.occurred <= NOW);
    drafts
}

fn created(database: &Database, release: &Item) -> EventDraft {
    let project = release.text("ProjectId");
    let at = parse(release.text("Assembled")).unwrap_or(NOW);
    EventDraft::new(at, "Created", &release.space_id)
        .by("Users-62")
        .text("Release ")
        .names(release.text("Version"), &release.id)
        .text(" of ")
        .names(Database::name_in(&database.projects, project), project)
        .text(" was created")
        .about([release.text("ChannelId")])
}

/// Returns the event of one stage of a deployment.
fn stage(
    database: &Database,
    deployment: &Item,
    at: i64,
    category: &'static str,
    description: &str,
) -> EventDraft {
    let text = |key| deployment.text(key);
    let release = database.releases.find(text("ReleaseId"));
    let draft = EventDraft::new(at, category, &deployment.space_id)
        .names(text("Name"), &deployment.id)
        .text(&format!(" {description} for "))
        .names(Database::name_in(&database.projects, text("ProjectId")), text("ProjectId"))
        .text(" release ")
        .names(release.map_or("", |release| release.text("Version")), text("ReleaseId"))
        .text(" to ")
        .names(
            Database::name_in(&database.environments, text("EnvironmentId")),
            text("EnvironmentId"),
        );
    let draft = match text("TenantId") {
        "" => draft,
        tenant => draft.text(" for ").names(Database::name_in(&database.tenants, tenant), tenant),
    };
    draft.about([text("TaskId"), text("ChannelId")])
}

fn of_deployment(database: &Database, facts: &TaskFacts) -> Vec<EventDraft> {
    let Some(deployment) =
        facts.deployment.as_ref().and_then(|facts| database.deployments.find(&facts.id))
    else {
        return Vec::new();
    };
    let by = deployment.text("DeployedById");
    let stage = |at, category, description| stage(database, deployment, at, category, description);
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

fn of_run(database: &Database, facts: &TaskFacts) -> Vec<EventDraft> {
    let run = facts.arguments.get("RunbookRunId").and_then(Value::as_str).unwrap_or_default();
    let project = facts.project_id.as_deref().unwrap_or_default();
    let stage = |at, category, description: &str| {
        EventDraft::new(at, category, facts.space_id.as_deref().unwrap_or_default())
            .names(&facts.description, run)
            .text(&format!(" {description} for "))
            .names(Database::name_in(&database.projects, project), project)
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

/// Returns the internal event of a scheduled task.
fn queued(facts: &TaskFacts) -> EventDraft {
    let space = facts.space_id.as_deref().unwrap_or_default();
    let draft = EventDraft::new(facts.queued, "TaskQueued", space)
        .names(&facts.description, &facts.id)
        .text(" was queued");
    EventDraft { is_internal: true, ..draft }
}

fn of_interruption(database: &Database, interruption: &Item) -> Vec<EventDraft> {
    let at = parse(interruption.text("Created")).unwrap_or(NOW);
    let related: Vec<&str> = interruption.texts("RelatedDocumentIds").collect();
    let is_manual = interruption.text("Type") == "ManualIntervention";
    let category = if is_manual {
        "ManualInterventionInterruptionRaised"
    } else {
        "GuidedFailureInterruptionRaised"
    };
    let find = |id: &&&str| database.deployments.find(id).is_some();
    let deployment = related.iter().find(find).copied().unwrap_or_default();
    let name = database.deployments.find(deployment).map_or("", |found| found.text("Name"));
    let draft = |at, category| {
        EventDraft::new(at, category, &interruption.space_id).about(related.iter().copied())
    };
    let mut drafts = vec![
        draft(at, category)
            .names(interruption.text("Title"), &interruption.id)
            .text(" waits for an answer in ")
            .names(name, deployment),
    ];
    if !interruption.flag("IsPending") && is_manual {
        let by = interruption.text("ResponsibleUserId");
        let at = at + 5 * SECOND;
        drafts.push(
            draft(at.min(NOW - MINUTE), "DeploymentResumed")
                .by(by)
                .names(name, deployment)
                .text(" was resumed"),
        );
    }
    drafts
}

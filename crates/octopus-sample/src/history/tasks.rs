//! Tasks in the form of the API.

use serde_json::{Map, Value, json};

use crate::clock::{duration, long_date, timestamp};
use crate::database::{Database, DeploymentFacts, SERVER_NODE, State, TaskFacts, error_message};
use crate::version::{Feature, Version};

/// Returns the task of a deployment.
pub(crate) fn of(database: &Database, facts: &DeploymentFacts) -> Option<TaskFacts> {
    let release = database.releases.find(&facts.release_id)?;
    let project_id = release.text("ProjectId");
    let tenant = facts.tenant_id.as_deref().map(|id| Database::name_in(&database.tenants, id));
    let description = format!(
        "Deploy {} release {} to {}{}",
        Database::name_in(&database.projects, project_id),
        release.text("Version"),
        Database::name_in(&database.environments, &facts.environment_id),
        tenant.map(|name| format!(" for {name}")).unwrap_or_default(),
    );
    Some(TaskFacts {
        id: facts.task_id.clone(),
        space_id: Some(release.space_id.clone()),
        name: "Deploy".to_owned(),
        description,
        arguments: json!({ "DeploymentId": facts.id }),
        project_id: Some(project_id.to_owned()),
        queued: facts.created + 114,
        duration_seconds: facts.duration_seconds,
        state: facts.state,
        failure: facts.failure.clone(),
        has_warnings: facts.has_warnings,
        deployment: Some(facts.clone()),
    })
}

pub(crate) fn body(facts: &TaskFacts, version: &Version) -> Value {
    let (id, state) = (&facts.id, facts.state);
    let completed = facts.completed();
    let started = facts.started();
    let pending = facts.pending_interruption();
    let mut body = json!({
        "Id": id,
        "SpaceId": facts.space_id,
        "Name": facts.name,
        "Description": facts.description,
        "Arguments": facts.arguments,
        "State": state.into_str(),
        "Completed": completed.map_or_else(|| format!("{}...", state.into_str()), long_date),
        "QueueTime": timestamp(facts.queued),
        "QueueTimeExpiry": null,
        "StartTime": started.map(timestamp),
        "LastUpdatedTime": timestamp(completed.or(started).unwrap_or(facts.queued)),
        "CompletedTime": completed.map(timestamp),
        "ServerNode": started.map(|_| format!("OctopusServerNodes-{SERVER_NODE}")),
        "Duration": duration(facts.run_time()),
        "ErrorMessage": error_message(facts),
        "HasBeenPickedUpByProcessor": started.is_some(),
        "IsCompleted": state.is_completed(),
        "FinishedSuccessfully": state == State::Success,
        "HasPendingInterruptions": pending.is_some(),
        "CanRerun": state.is_completed() && matches!(facts.name.as_str(), "Health" | "Retention"),
        "HasWarningsOrErrors": facts.has_warnings
            || matches!(state, State::Failed | State::TimedOut)
            || pending == Some("GuidedFailure"),
    });
    if let Some(body) = body.as_object_mut() {
        if version.has(Feature::PendingTypes) {
            let types: Vec<&str> = pending.into_iter().collect();
            body.insert("PendingInterruptionTypes".to_owned(), json!(types));
            body.insert("HasPendingPreconditions".to_owned(), json!(false));
            body.insert("PendingPreconditionTypes".to_owned(), json!([]));
        } else {
            body.insert("UnmetPreconditions".to_owned(), Value::Null);
        }
        body.insert("ProjectId".to_owned(), json!(facts.project_id));
        body.insert("Links".to_owned(), Value::Object(links(facts)));
    }
    body
}

/// Returns the links of a task. They have no space segment, except to resources of the space.
fn links(facts: &TaskFacts) -> Map<String, Value> {
    let id = &facts.id;
    let space = facts.space_id.as_deref();
    let in_space = space.map(|space| format!("/{space}")).unwrap_or_default();
    let mut links = Map::new();
    let mut add = |name: &str, target: String| {
        links.insert(name.to_owned(), Value::String(target));
    };
    add("Self", format!("/api/tasks/{id}"));
    add("Web", format!("/app#{in_space}/tasks/{id}"));
    add("Raw", format!("/api/tasks/{id}/raw"));
    add("Rerun", format!("/api/tasks/rerun/{id}"));
    add("Cancel", format!("/api/tasks/{id}/cancel"));
    add("State", format!("/api/tasks/{id}/state"));
    add("BlockedBy", format!("/api/tasks/{id}/blockedby"));
    add("QueuedBehind", format!("/api/tasks/{id}/queued-behind{{?skip,take}}"));
    add("Details", format!("/api/tasks/{id}/details{{?verbose,tail,ranges}}"));
    add("StatusMessages", format!("/api/tasks/{id}/status/messages"));
    add("Prioritize", format!("/api/tasks/{id}/prioritize"));
    add("Artifacts", format!("/api{in_space}/artifacts?regarding={id}"));
    add("Interruptions", format!("/api{in_space}/interruptions?regarding={id}"));
    links
}

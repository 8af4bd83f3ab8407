//! Runbook runs, newest first.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::database::{Database, Item, State};
use super::super::page::Pages;
use super::super::response::ApiResult;
use super::deployments::state;
use super::filters::{Field, Filter, matches};

const PAGES: Pages = Pages::of(
    "RunbookRun",
    "skip,take,ids,projects,environments,tenants,runbooks,taskState,partialName",
);

const FILTERS: &[Filter] = &[
    Filter::Ids,
    Filter::OneOf("projects", Field::Key("ProjectId")),
    Filter::OneOf("environments", Field::Key("EnvironmentId")),
    Filter::OneOf("tenants", Field::Key("TenantId")),
    Filter::OneOf("runbooks", Field::Key("RunbookId")),
    Filter::Part("partialName", "Name"),
];

/// Answers `/runbookRuns`.
pub(super) fn list(call: &Call<'_>) -> ApiResult {
    let state = call.query.text("taskState").map(state).transpose()?;
    let found = call.database.runbook_runs.of_space(call.space_id()).filter(|run| {
        matches(FILTERS, call, run)
            && state.is_none_or(|state| state_of(call.database, run) == Some(state))
    });
    Ok(PAGES.page(call, found))
}

/// Answers `/runbookSnapshots/{id}/runbookRuns`.
pub(super) fn of_snapshot(call: &Call<'_>, snapshot: &Item) -> ApiResult {
    call.require("RunbookRunView")?;
    let runs = call.database.runbook_runs.of_space(call.space_id());
    let own = runs.filter(|run| run.text("RunbookSnapshotId") == snapshot.id);
    Ok(Pages::of("RunbookRun", "skip,take").page(call, own))
}

/// Returns a run with fields of its task.
pub(super) fn item(database: &Database, run: &Item) -> Value {
    let task = database.tasks.find(run.text("TaskId")).map(|task| &task.body);
    let of_task = |key: &str| task.and_then(|task| task.get(key)).cloned().unwrap_or(Value::Null);
    let own = |key: &str| run.body.get(key).cloned().unwrap_or(Value::Null);
    let snapshot = database.runbook_snapshots.find(run.text("RunbookSnapshotId"));
    json!({
        "Id": run.id,
        "ProjectId": own("ProjectId"),
        "EnvironmentId": own("EnvironmentId"),
        "TenantId": own("TenantId"),
        "RunbookId": own("RunbookId"),
        "RunbookSnapshotId": own("RunbookSnapshotId"),
        "RunbookSnapshotName": snapshot.map(|snapshot| snapshot.text("Name")),
        "RunbookSnapshotNotes": snapshot.and_then(|snapshot| snapshot.body.get("Notes")),
        "RunBy": own("DeployedBy"),
        "TaskId": own("TaskId"),
        "Created": own("Created"),
        "QueueTime": of_task("QueueTime"),
        "StartTime": of_task("StartTime"),
        "CompletedTime": of_task("CompletedTime"),
        "State": of_task("State"),
        "HasPendingInterruptions": of_task("HasPendingInterruptions"),
        "HasWarningsOrErrors": of_task("HasWarningsOrErrors"),
        "ErrorMessage": of_task("ErrorMessage"),
        "Duration": of_task("Duration"),
        "IsCompleted": of_task("IsCompleted"),
        "Links": {
            "Self": format!("/api/{}/runbookRuns/{}", run.space_id, run.id),
            "Task": format!("/api/tasks/{}", run.text("TaskId")),
        },
    })
}

fn state_of(database: &Database, run: &Item) -> Option<State> {
    Some(database.task_facts.get(run.text("TaskId"))?.state)
}

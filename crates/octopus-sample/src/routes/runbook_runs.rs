//! Runbook runs, newest first.

use serde_json::{Value, json};

use super::super::call::{Call, contains};
use super::super::database::{Database, Item};
use super::super::history::State;
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::missing;

const PAGES: Pages = Pages::of(
    "RunbookRun",
    "skip,take,ids,projects,environments,tenants,runbooks,taskState,partialName",
);

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("RunbookRunView")?;
    match path {
        [] => {
            let state = call.query.text("taskState").map(|name| {
                let wrong = format!("The value '{name}' is not valid for taskState.");
                State::named(name).ok_or(ApiError::BadRequest(wrong))
            });
            let state = state.transpose()?;
            let found = call.database.runbook_runs.of_space(call.space_id()).filter(|run| {
                let name = || call.query.text("partialName").unwrap_or_default();
                call.in_ids(run)
                    && call.one_of_key("projects", run, "ProjectId")
                    && call.one_of_key("environments", run, "EnvironmentId")
                    && call.one_of_key("tenants", run, "TenantId")
                    && call.one_of_key("runbooks", run, "RunbookId")
                    && contains(run.text("Name"), name())
                    && state.is_none_or(|state| state_of(call.database, run) == Some(state))
            });
            Ok(PAGES.page(call, found))
        }
        [id] => {
            let run = call.database.runbook_runs.find(id);
            let run = run.filter(|run| run.space_id == call.space_id());
            Ok(ApiResponse::json(run.ok_or_else(|| missing(id))?.json.to_string()))
        }
        _ => Err(ApiError::NoRoute),
    }
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

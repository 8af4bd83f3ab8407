//! Write requests for tasks.

use serde_json::json;

use super::super::clock::{NOW, SECOND};
use super::super::database::{Database, State, TaskFacts};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::write_request::WriteRequest;
use super::{interruptions, missing, tasks};

/// Answers `/tasks/{id}/cancel`, `/tasks/rerun/{id}` and `/tasks/{id}/state`.
pub(super) fn answer(change: &WriteRequest<'_>, draft: &mut Database, path: &[&str]) -> ApiResult {
    let call = change.call;
    call.require("TaskView")?;
    let facts = |id: &str| {
        let task = tasks::one(call, id)?;
        call.database.task_facts.get(&task.id).cloned().ok_or_else(|| missing(id))
    };
    match path {
        [id, "cancel"] => {
            let task = facts(id)?;
            call.require("TaskCancel")?;
            let state = match task.state {
                State::Queued => State::Canceled,
                State::Executing => State::Cancelling,
                // Completed and cancelling tasks are unchanged.
                other => other,
            };
            Ok(put(change, draft, TaskFacts { state, ..task }))
        }
        ["rerun", id] => {
            let task = facts(id)?;
            call.require("TaskCreate")?;
            if !tasks::one(call, id)?.flag("CanRerun") {
                return Err(ApiError::BadRequest("This task cannot be re-run.".to_owned()));
            }
            let id = draft.tasks.next_id("ServerTasks");
            let again = TaskFacts {
                id,
                queued: NOW - SECOND,
                duration_seconds: 0,
                state: State::Queued,
                failure: None,
                has_warnings: false,
                ..task
            };
            Ok(put(change, draft, again))
        }
        [id, "state"] => {
            let task = facts(id)?;
            call.require("TaskEdit")?;
            let state = change.input.text("State").and_then(|name| name.parse::<State>().ok());
            let Some(state) = state.filter(|state| state.is_completed()) else {
                let reason = "'State' must be Success, Failed, Canceled or TimedOut.";
                return Err(ApiError::BadRequest(reason.to_owned()));
            };
            if change.input.text("Reason").is_none() {
                return Err(ApiError::BadRequest("'Reason' must not be empty.".to_owned()));
            }
            let mut task = TaskFacts { state, ..task };
            if let Some(deployment) = &mut task.deployment {
                deployment.state = state;
                deployment.pending_interruption = None;
            }
            interruptions::close_interruptions(draft, &task.id);
            Ok(put(change, draft, task))
        }
        _ => Err(ApiError::NoRoute),
    }
}

fn put(change: &WriteRequest<'_>, draft: &mut Database, facts: TaskFacts) -> ApiResponse {
    let id = facts.id.clone();
    draft.put_task(facts, change.call.version);
    draft.tasks.find(&id).map_or_else(
        || ApiResponse::value(&json!({})),
        |task| ApiResponse::json(task.json.to_string()),
    )
}

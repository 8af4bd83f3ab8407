//! What can be done to a task.

use serde_json::json;

use super::super::answer::{Answer, Answered, Refusal};
use super::super::clock::{NOW, SECOND};
use super::super::history::{State, TaskFacts};
use super::super::world::World;
use super::changes::Change;
use super::{interruptions, missing, tasks};

/// `/tasks/{id}/cancel`, `/tasks/rerun/{id}` and `/tasks/{id}/state`.
pub(super) fn answer(change: &Change<'_>, draft: &mut World, path: &[&str]) -> Answered {
    let call = change.call;
    call.need("TaskView")?;
    let facts = |id: &str| {
        let task = tasks::one(call, id)?;
        call.world.task_facts.get(&task.id).cloned().ok_or_else(|| missing(id))
    };
    match path {
        [id, "cancel"] => {
            let task = facts(id)?;
            call.need("TaskCancel")?;
            let state = match task.state {
                State::Queued => State::Canceled,
                State::Executing => State::Cancelling,
                // One that is over, or on the way there, stays as it is.
                other => other,
            };
            Ok(put(change, draft, TaskFacts { state, ..task }))
        }
        ["rerun", id] => {
            let task = facts(id)?;
            call.need("TaskCreate")?;
            if !tasks::one(call, id)?.flag("CanRerun") {
                return Err(Refusal::BadRequest("This task cannot be re-run.".to_owned()));
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
            call.need("TaskEdit")?;
            let state = change.order.text("State").and_then(State::named);
            let Some(state) = state.filter(|state| state.is_completed()) else {
                let reason = "'State' must be Success, Failed, Canceled or TimedOut.";
                return Err(Refusal::BadRequest(reason.to_owned()));
            };
            if change.order.text("Reason").is_none() {
                return Err(Refusal::BadRequest("'Reason' must not be empty.".to_owned()));
            }
            let mut task = TaskFacts { state, ..task };
            if let Some(deployment) = &mut task.deployment {
                deployment.state = state;
                deployment.pending_interruption = None;
            }
            interruptions::settle(draft, &task.id);
            Ok(put(change, draft, task))
        }
        _ => Err(Refusal::NoRoute),
    }
}

fn put(change: &Change<'_>, draft: &mut World, facts: TaskFacts) -> Answer {
    let id = facts.id.clone();
    draft.put_task(facts, change.call.version);
    draft
        .tasks
        .find(&id)
        .map_or_else(|| Answer::value(&json!({})), |task| Answer::json(task.json.to_string()))
}

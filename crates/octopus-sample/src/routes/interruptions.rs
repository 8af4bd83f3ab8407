//! Interruptions, newest first.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::clock::{NOW, SECOND};
use super::super::database::{Database, Item, State};
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::missing;
use super::write_request::WriteRequest;

const PAGES: Pages = Pages::of("Interruption", "skip,take,regarding,pendingOnly,ids");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("InterruptionView")?;
    match path {
        [] => {
            let found: Vec<&Item> = call
                .database
                .interruptions
                .of_space(call.space_id())
                .filter(|interruption| matches(call, interruption))
                .collect();
            let (skip, take) = PAGES.window(call);
            let shown = found.iter().skip(skip).take(take);
            Ok(PAGES.render(
                call,
                found.len(),
                shown.map(|item| for_caller(call, item).to_string()),
                "",
            ))
        }
        [id] => Ok(ApiResponse::value(&for_caller(call, one(call, id)?))),
        [id, "responsible"] => {
            let user = one(call, id)?.text("ResponsibleUserId");
            let user = call.database.users.find(user).ok_or_else(|| missing(id))?;
            Ok(ApiResponse::json(user.json.to_string()))
        }
        _ => Err(ApiError::NoRoute),
    }
}

fn one<'a>(call: &Call<'a>, id: &str) -> Result<&'a Item, ApiError> {
    let found = call.database.interruptions.find(id);
    found.filter(|found| found.space_id == call.space_id()).ok_or_else(|| missing(id))
}

fn matches(call: &Call<'_>, interruption: &Item) -> bool {
    let is_free = call.query.switch("pendingOnly") != Some(true);
    call.in_ids(interruption)
        && call.any_of("regarding", interruption, "RelatedDocumentIds")
        && (is_free || interruption.flag("IsPending"))
}

/// Returns an interruption with the rights of the caller.
fn for_caller(call: &Call<'_>, interruption: &Item) -> Value {
    let mut body = interruption.body.clone();
    let (may, has) = (can_respond(call, interruption), is_responsible(call, interruption));
    if let Some(body) = body.as_object_mut() {
        body.insert("CanTakeResponsibility".to_owned(), json!(may));
        body.insert("HasResponsibility".to_owned(), json!(has));
    }
    body
}

fn is_responsible(call: &Call<'_>, interruption: &Item) -> bool {
    interruption.text("ResponsibleUserId") == call.user.id
}

/// Returns whether the caller is an administrator or in a responsible team, or no team is named.
fn can_respond(call: &Call<'_>, interruption: &Item) -> bool {
    let mut teams = interruption.texts("ResponsibleTeamIds").peekable();
    let is_free = teams.peek().is_none();
    let is_member = teams.any(|id| {
        let team = call.database.teams.find(id);
        team.is_some_and(|team| team.texts("MemberUserIds").any(|member| member == call.user.id))
    });
    call.user.administrator || is_free || is_member
}

/// Returns the interruption if it is still pending.
fn pending<'a>(change: &WriteRequest<'a>, id: &str) -> Result<&'a Item, ApiError> {
    let call = change.call;
    call.require("InterruptionView")?;
    let interruption = one(call, id)?;
    call.require("InterruptionSubmit")?;
    if interruption.flag("IsPending") {
        Ok(interruption)
    } else {
        Err(ApiError::BadRequest("This interruption has already been submitted.".to_owned()))
    }
}

/// Answers `PUT /interruptions/{id}/responsible`: makes the caller responsible.
pub(super) fn take(change: &WriteRequest<'_>, draft: &mut Database, id: &str) -> ApiResult {
    let (call, interruption) = (change.call, pending(change, id)?);
    if !can_respond(call, interruption) {
        let reason = "You are in none of the teams that may take responsibility for this.";
        return Err(ApiError::BadRequest(reason.to_owned()));
    }
    let mut body = interruption.body.clone();
    if let Some(body) = body.as_object_mut() {
        body.insert("ResponsibleUserId".to_owned(), json!(call.user.id));
    }
    draft.interruptions.put(body);
    let user = call.database.users.find(call.user.id).ok_or_else(|| missing(id))?;
    Ok(ApiResponse::json(user.json.to_string()))
}

/// Answers `POST /interruptions/{id}/submit`. Only the responsible user can submit.
pub(super) fn submit(change: &WriteRequest<'_>, draft: &mut Database, id: &str) -> ApiResult {
    let (call, input, interruption) = (change.call, change.input, pending(change, id)?);
    if !is_responsible(call, interruption) {
        let reason = "You must take responsibility for this interruption before submitting it.";
        return Err(ApiError::BadRequest(reason.to_owned()));
    }
    input.object()?;
    let is_manual = interruption.text("Type") == "ManualIntervention";
    let key = if is_manual { "Result" } else { "Guidance" };
    let elements = interruption.body.pointer("/Form/Elements").and_then(Value::as_array);
    let buttons = elements
        .into_iter()
        .flatten()
        .filter_map(|element| element.pointer("/Control/Buttons").and_then(Value::as_array));
    let known = |value: &&str| {
        let mut values = buttons.flatten().filter_map(|button| button.get("Value")?.as_str());
        values.any(|other| other == *value)
    };
    let Some(answer) = input.text(key).filter(known) else {
        return Err(ApiError::BadRequest(format!(
            "'{key}' must be one of the values of the form."
        )));
    };
    let mut body = interruption.body.clone();
    if let Some(body) = body.as_object_mut() {
        body.insert("IsPending".to_owned(), json!(false));
    }
    if let Some(values) = body.pointer_mut("/Form/Values").and_then(Value::as_object_mut) {
        values.insert("Notes".to_owned(), json!(input.text("Notes")));
        values.insert(key.to_owned(), json!(answer));
    }
    draft.interruptions.put(body);
    if let Some(mut task) = call.database.task_facts.get(interruption.text("TaskId")).cloned() {
        let is_over = matches!(answer, "Abort" | "Fail");
        if is_over {
            task.duration_seconds = task.started().map_or(0, |started| (NOW - started) / SECOND);
            task.state = State::Failed;
        }
        if let Some(deployment) = &mut task.deployment {
            deployment.pending_interruption = None;
            deployment.guidance = (answer == "Abort").then(|| answer.to_owned());
            deployment.state = task.state;
        }
        draft.put_task(task, call.version);
    }
    let answered = draft.interruptions.find(id).ok_or_else(|| missing(id))?;
    Ok(ApiResponse::value(&for_caller(call, answered)))
}

/// Closes the pending interruptions of a completed task.
pub(super) fn close_interruptions(draft: &mut Database, task_id: &str) {
    let waits = |item: &&Item| item.text("TaskId") == task_id && item.flag("IsPending");
    let waiting: Vec<Value> =
        draft.interruptions.iter().filter(waits).map(|item| item.body.clone()).collect();
    for mut body in waiting {
        if let Some(body) = body.as_object_mut() {
            body.insert("IsPending".to_owned(), json!(false));
        }
        draft.interruptions.put(body);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::test_client::{get, ids};
    use crate::test_client::{get as of, reason, send, send_as};
    use crate::{Sample, keys};

    #[tokio::test]
    async fn responsible_user_submits_once() {
        let sample = Sample::new();
        let interruption = "Spaces-1/interruptions/Interruptions-9008";
        let (submit, take) =
            (format!("{interruption}/submit"), format!("{interruption}/responsible"));
        let answer = json!({ "Instructions": null, "Notes": "Looks good", "Result": "Proceed" });
        let form = of(&sample, interruption).await;
        assert_eq!(form["Type"], "ManualIntervention", "{form}");
        let (status, rejected) = send(&sample, "POST", &submit, answer.clone()).await;
        assert_eq!(status, 400);
        assert!(reason(&rejected).contains("take responsibility"), "{rejected}");
        let nothing = || json!(null);
        let rows = [(keys::VIEW_ONLY, 403), (keys::WITHOUT_VARIABLE_VIEW, 400)];
        for (key, expected) in rows {
            assert_eq!(send_as(&sample, key, "PUT", &take, nothing()).await.0, expected, "{key}");
        }
        let (status, user) = send(&sample, "PUT", &take, nothing()).await;
        assert_eq!((status, &user["Id"]), (200, &json!("Users-1")));
        assert_eq!(of(&sample, &take).await["Id"], "Users-1");
        let wrong = json!({ "Result": "Maybe" });
        assert_eq!(send(&sample, "POST", &submit, wrong).await.0, 400);
        let (status, answered) = send(&sample, "POST", &submit, answer.clone()).await;
        assert_eq!((status, &answered["IsPending"]), (200, &json!(false)));
        assert_eq!(answered["Form"]["Values"]["Result"], "Proceed");
        assert_eq!(send(&sample, "POST", &submit, answer).await.0, 400);
        let task = of(&sample, "tasks/ServerTasks-90008").await;
        assert_eq!(task["HasPendingInterruptions"], false);
        assert_eq!(task["State"], "Executing");
    }

    #[tokio::test]
    async fn guided_failure_can_fail_and_completed_tasks_have_none_pending() {
        let sample = Sample::new();
        let interruption = "Spaces-1/interruptions/Interruptions-9028";
        let take = format!("{interruption}/responsible");
        assert_eq!(send(&sample, "PUT", &take, json!(null)).await.0, 200);
        let answer = json!({ "Guidance": "Fail", "Notes": "" });
        let submit = format!("{interruption}/submit");
        let (status, answered) = send(&sample, "POST", &submit, answer).await;
        assert_eq!(status, 200, "{answered}");
        assert_eq!(of(&sample, "tasks/ServerTasks-90028").await["State"], "Failed");
        let state = json!({ "State": "Failed", "Reason": "Gone" });
        assert_eq!(send(&sample, "POST", "tasks/ServerTasks-90008/state", state).await.0, 200);
        let pending = of(&sample, "Spaces-1/interruptions?pendingOnly=true").await;
        assert_eq!(pending["TotalResults"], 0);
    }

    #[tokio::test]
    async fn pending_interruptions_belong_to_two_tasks() {
        let rows = [
            ("pendingOnly=true", "Interruptions-9028 Interruptions-9008"),
            ("regarding=ServerTasks-90008", "Interruptions-9008"),
            ("regarding=Deployments-9028&pendingOnly=true", "Interruptions-9028"),
            ("regarding=Tenants-1&pendingOnly=true", "Interruptions-9008"),
            ("ids=Interruptions-9017", "Interruptions-9017"),
        ];
        for (query, expected) in rows {
            let found = ids(&format!("/api/Spaces-1/interruptions?{query}")).await;
            assert_eq!(found.join(" "), expected, "{query}");
        }
        let all = get("/api/Spaces-1/interruptions?take=1000").await;
        let items = all["Items"].as_array().unwrap();
        assert!(items.len() >= 12, "{}", items.len());
        assert!(items.iter().any(|item| item["Form"]["Values"]["Guidance"] == "Fail"));
        assert!(items.iter().any(|item| item["Form"]["Values"]["Result"] == "Proceed"));
        let user = get("/api/Spaces-1/interruptions/Interruptions-9017/responsible").await;
        assert_eq!(user["Id"], "Users-41");
    }
}

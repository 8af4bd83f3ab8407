//! Determines which Octopus user started a task.

use serde::Deserialize;

use super::{
    deployments::Deployment,
    resource::{Id, Resource},
    runbook_runs::RunbookRun,
    tasks::Task,
};
use crate::octopus::client::{error::Error, path::ApiPath, session::Session};

/// Fields of a deployment or runbook run that identify its initiator.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TaskOwner {
    task_id: Option<String>,
    deployed_by_id: Option<String>,
}

/// Returns the ID of the user who started a task, read from its deployment or runbook run. `None`
/// if Octopus does not report it or the session cannot read it. These reads are not recorded as
/// accesses of the caller.
pub async fn task_initiator(session: &Session, task: &Id<Task>) -> Result<Option<String>, Error> {
    let session = session.without_recording();
    let path = ApiPath::new([Task::COLLECTION, task.as_str()]);
    let Some(document) = optional(session.get::<Task>(&path).await)? else { return Ok(None) };
    let is_of = |key: &str| document.arguments.get(key).and_then(serde_json::Value::as_str);
    let deployment = is_of("DeploymentId").and_then(|id| Id::<Deployment>::parse(id).ok());
    let run = is_of("RunbookRunId").and_then(|id| Id::<RunbookRun>::parse(id).ok());
    let segments = match (&deployment, &run) {
        (Some(id), None) => [Deployment::COLLECTION, id.as_str()],
        (None, Some(id)) => [RunbookRun::COLLECTION, id.as_str()],
        _ => return Ok(None),
    };
    let path = ApiPath::new(document.space_id.as_deref()).join(segments);
    let Some(owner) = optional(session.get::<TaskOwner>(&path).await)? else { return Ok(None) };
    // A task that runs again belongs to the same deployment or run, and another user may have
    // started it.
    let is_same = owner.task_id.is_some_and(|id| id.eq_ignore_ascii_case(task.as_str()));
    Ok(owner.deployed_by_id.filter(|user| is_same && !user.trim().is_empty()))
}

/// Converts the errors for missing and forbidden resources to `None`.
fn optional<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

//! Enforces the four-eyes rule: callers cannot answer the interruption of a task that they started.
//!
//! The server records the initiators of tasks that are started through it. Without a record,
//! because the process restarted or the reply of Octopus was lost, Octopus reports the user who
//! started the task. Octopus does not store the caller for whom that user acted, so an answer by
//! the same user is rejected.

use serde_json::Value;

use crate::{
    access::interruption_path,
    auth::AuthMethod,
    octopus::{self, ChangeRequest, ChangeResponse, Fingerprint, Id, WriteMethod, tasks::Task},
    tool::{Context, Error},
};

/// The next step for the caller, as the end of an error message.
const INSTEAD: &str = "Another person must answer the interruption, with their own key or in the \
                       Octopus portal. The server operator can set `limits.store` to keep records \
                       of task initiators";

impl Context {
    /// Records the caller as the initiator of the tasks that a request started.
    pub(in crate::tool) async fn record_initiator(
        &self,
        request: &ChangeRequest,
        reply: &ChangeResponse,
    ) {
        if !self.policy.requires_four_eyes() || request.method != WriteMethod::Post {
            return;
        }
        let tasks = started_tasks(request, reply);
        if tasks.is_empty() {
            return;
        }
        // If the lookup of the user fails, the check reads the initiator from Octopus later.
        let Ok(person) = self.identity_fingerprints().await else { return };
        for task in tasks {
            // Only the first record counts: a later reply that contains the task did not start it.
            let task = task.as_str();
            if !self.task_initiators.get(&self.instance.name, task).await.is_empty() {
                continue;
            }
            self.task_initiators.record(&self.instance.name, task, &person).await;
        }
    }

    /// Rejects an answer to the interruption of a task that the same caller started.
    pub(in crate::tool) async fn check_four_eyes(
        &self,
        request: &ChangeRequest,
    ) -> Result<(), Error> {
        if !self.policy.requires_four_eyes() {
            return Ok(());
        }
        let Some(interruption) = interruption_path(&request.path) else {
            return Ok(());
        };
        let document = self.session.object(&interruption).await?;
        let task = document.get("TaskId").and_then(Value::as_str);
        let Some(task) = task.and_then(|task| Id::<Task>::parse(task).ok()) else {
            return Err(four_eyes_error(format!(
                "Octopus does not report which task is interrupted, so you may have started it. \
                 {INSTEAD}"
            )));
        };
        let initiator = self.task_initiators.get(&self.instance.name, task.as_str()).await;
        if initiator.is_empty() {
            return self.check_octopus_initiator(&task).await;
        }
        let person = self.identity_fingerprints().await?;
        let is_initiator = |fingerprint: &Fingerprint| {
            initiator.chunks_exact(32).any(|s| s == fingerprint.as_bytes())
        };
        if person.iter().any(is_initiator) {
            return Err(four_eyes_error(format!(
                "you started {task} through this server, so another person must answer its \
                 interruption"
            )));
        }
        Ok(())
    }

    /// Applies the rule if the server has no record. Rejects the answer if Octopus reports the
    /// caller's own user as the initiator, or none.
    async fn check_octopus_initiator(&self, task: &Id<Task>) -> Result<(), Error> {
        let Some(initiator) = octopus::task_initiator(&self.session, task).await? else {
            return Err(four_eyes_error(format!(
                "the initiator of {task} is unknown: this server has no record, and Octopus does \
                 not report one, so you may have started it. {INSTEAD}"
            )));
        };
        if initiator.trim().eq_ignore_ascii_case(&self.octopus_user_id().await?) {
            return Err(four_eyes_error(format!(
                "{task} was started by the Octopus user that acts for you, and this server has no \
                 record for which caller, so you may have started it. {INSTEAD}"
            )));
        }
        Ok(())
    }

    /// Returns fingerprints that identify the person for all keys of that person. Callers without
    /// an identity of their own are identified by the Octopus user of the credential.
    async fn identity_fingerprints(&self) -> Result<Vec<Fingerprint>, octopus::Error> {
        let own = self.caller.fingerprint();
        if !matches!(self.caller.method, AuthMethod::Octopus | AuthMethod::Anonymous) {
            return Ok(vec![own]);
        }
        let user = self.octopus_user_id().await?;
        let user = Fingerprint::of([b"user".as_slice(), user.as_bytes()]);
        // All anonymous callers share one fingerprint, so only the Octopus user identifies them.
        Ok(if self.caller.method == AuthMethod::Octopus { vec![own, user] } else { vec![user] })
    }

    /// Returns the ID of the Octopus user that acts for the caller at this instance.
    async fn octopus_user_id(&self) -> Result<String, octopus::Error> {
        self.acting_users.user_id(&self.session).await
    }
}

fn four_eyes_error(message: String) -> Error {
    Error::Denied { rule: Some("four eyes".to_owned()), message: Some(message), unknown: None }
}

/// Returns the tasks that a request started. Excludes existing tasks, which the reply to a request
/// about a task or an interruption contains.
fn started_tasks<'a>(request: &ChangeRequest, reply: &'a ChangeResponse) -> Vec<&'a Id<Task>> {
    let segments = request.path.segments();
    let contains = |text: &str| segments.iter().any(|segment| segment.eq_ignore_ascii_case(text));
    if contains("interruptions") {
        return Vec::new();
    }
    reply.tasks.iter().filter(|task| !contains(task.as_str())).collect()
}

//! A task in the form of the answer.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    octopus::{Error, Id, Space, document, projects::Project, tasks::Task},
    tool::{NamesById, resource_uri},
};

/// A server task.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskSummary {
    id: String,
    space_id: Option<String>,
    /// Kind of the task: Deploy, RunbookRun, Health and others.
    name: Option<String>,
    description: Option<String>,
    /// Canceled, Cancelling, Executing, Failed, Queued, Success or TimedOut.
    state: Option<String>,
    error_message: Option<String>,
    is_completed: bool,
    finished_successfully: bool,
    has_warnings_or_errors: bool,
    /// Whether the task waits for a person.
    has_pending_interruptions: bool,
    /// Types of pending interruptions: ManualIntervention, GuidedFailure, PullRequestCompletion,
    /// ArgoCDApplicationSync or KubernetesResourceVerification. Empty before Octopus 2026.
    pending_interruption_types: Vec<String>,
    /// Whether the start of the task waits for a condition, e.g. an approval.
    has_pending_preconditions: bool,
    /// Types of pending conditions. Empty before Octopus 2026.
    pending_precondition_types: Vec<String>,
    /// Pending conditions with their messages, before Octopus 2026.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unmet_preconditions: Vec<UnmetPreconditionSummary>,
    can_rerun: bool,
    project_id: Option<String>,
    project_name: Option<String>,
    /// Arguments of the task, e.g. its deploymentId.
    arguments: Value,
    queue_time: Option<String>,
    queue_time_expiry: Option<String>,
    start_time: Option<String>,
    last_updated_time: Option<String>,
    completed_time: Option<String>,
    duration: Option<String>,
    server_node: Option<String>,
    resource_uri: String,
    url: String,
}

/// A condition that the start of a task waits for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UnmetPreconditionSummary {
    name: Option<String>,
    message: Option<String>,
    /// Whether the task fails because of the condition, instead of waiting for it.
    will_fail_task: bool,
}

impl TaskSummary {
    pub(crate) fn of(space: &Space, task: Task, project_name: Option<String>) -> Self {
        Self {
            url: space.portal().task(&task.id),
            resource_uri: resource_uri(["spaces", space.name(), "tasks", task.id.as_str()]),
            id: task.id.into_string(),
            space_id: task.space_id,
            name: task.name,
            description: task.description,
            state: task.state,
            error_message: task.error_message.filter(|message| !message.is_empty()),
            is_completed: task.is_completed,
            finished_successfully: task.finished_successfully,
            has_warnings_or_errors: task.has_warnings_or_errors,
            has_pending_interruptions: task.has_pending_interruptions,
            pending_interruption_types: task.pending_interruption_types,
            has_pending_preconditions: task.has_pending_preconditions
                || !task.pending_precondition_types.is_empty()
                || !task.unmet_preconditions.is_empty(),
            unmet_preconditions: task
                .unmet_preconditions
                .into_iter()
                .map(|unmet| UnmetPreconditionSummary {
                    name: unmet.precondition_name,
                    message: unmet.message,
                    will_fail_task: unmet.will_fail_task,
                })
                .collect(),
            pending_precondition_types: task.pending_precondition_types,
            can_rerun: task.can_rerun,
            project_name,
            project_id: task.project_id.map(Id::into_string),
            arguments: document::to_answer_form(task.arguments.into()),
            queue_time: task.queue_time,
            queue_time_expiry: task.queue_time_expiry,
            start_time: task.start_time,
            last_updated_time: task.last_updated_time,
            completed_time: task.completed_time,
            duration: task.duration,
            server_node: task.server_node,
        }
    }

    /// Creates the answer form of a task, with the name of its project.
    pub(crate) async fn named(space: &Space, task: Task) -> Result<Self, Error> {
        let names = NamesById::lookup::<Project>(space, task.project_id.as_ref()).await?;
        let project_name = task.project_id.as_ref().and_then(|id| names.get(id.as_str()));
        Ok(Self::of(space, task, project_name))
    }
}

//! Tasks: units of work of the Octopus server, and their logs.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use bytes::Bytes;
use futures::Stream;
use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    resource::{Id, Resource},
    space::Space,
};
use crate::octopus::client::error::Error;

/// Fields of a task that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Task {
    pub id: Id<Task>,
    pub space_id: Option<String>,
    /// The kind of task: `Deploy`, `RunbookRun`, `Health`, and others.
    pub name: Option<String>,
    pub description: Option<String>,
    pub state: Option<String>,
    pub project_id: Option<Id<super::projects::Project>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub arguments: serde_json::Map<String, serde_json::Value>,
    pub queue_time: Option<String>,
    pub queue_time_expiry: Option<String>,
    pub start_time: Option<String>,
    pub last_updated_time: Option<String>,
    pub completed_time: Option<String>,
    pub duration: Option<String>,
    pub error_message: Option<String>,
    pub server_node: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_completed: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub finished_successfully: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub has_warnings_or_errors: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub has_pending_interruptions: bool,
    /// Reasons why the task waits, such as `ManualIntervention` or `GuidedFailure`. Since Octopus
    /// 2026.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub pending_interruption_types: Vec<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub has_pending_preconditions: bool,
    /// Conditions for the start of the task, such as `Approval`. Since Octopus 2026.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub pending_precondition_types: Vec<String>,
    /// Conditions for the start of the task. Until Octopus 2025.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub unmet_preconditions: Vec<UnmetPrecondition>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub can_rerun: bool,
}

impl Resource for Task {
    const NOUN: &'static str = "task";
    const ID_PREFIX: &'static str = "ServerTasks-";
    const COLLECTION: &'static str = "tasks";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// A condition for the start of a task, which is not met.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UnmetPrecondition {
    pub precondition_name: Option<String>,
    pub message: Option<String>,
    /// Whether the task fails because of the condition, instead of waiting for it.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub will_fail_task: bool,
}

/// A task with its activity tree.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Details {
    pub task: Task,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub activity_logs: Vec<Activity>,
    pub physical_log_size: Option<u64>,
    pub progress: Option<Progress>,
    /// Whether each node contains only its last messages, because more messages were too large.
    #[serde(skip)]
    pub is_truncated: bool,
}

/// Progress of a task.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Progress {
    pub progress_percentage: Option<f64>,
    pub estimated_time_remaining: Option<String>,
}

/// A node of the activity tree: the task, a step or a target.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Activity {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub name: String,
    /// `Pending`, `Running`, `Success`, `Failed`, `Skipped`, `SuccessWithWarning` or `Canceled`.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub status: String,
    pub started: Option<String>,
    pub ended: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub children: Vec<Activity>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub log_elements: Vec<LogElement>,
}

/// A log message of a node.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LogElement {
    pub occurred_at: Option<String>,
    /// `Info`, `Warning`, `Error`, `Fatal`, `Verbose` and others.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub category: String,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub message_text: String,
    /// Additional text of an error, for example its origin.
    pub detail: Option<String>,
}

/// Number of messages to read of each node; the default of Octopus is not documented.
const TAIL_MESSAGES: u32 = 200;
/// Number of messages of each node if [`TAIL_MESSAGES`] messages need too much memory.
pub const SHORT_TAIL_MESSAGES: u32 = 20;

/// Reads a task with its activity tree, without verbose messages. For a large tree, only the last
/// messages of each node are read.
pub async fn details(space: &Space, id: &Id<Task>) -> Result<Details, Error> {
    let path = space.path([Task::COLLECTION, id.as_str(), "details"]).query("verbose", false);
    match space.read(id, &path.clone().query("tail", TAIL_MESSAGES)).await {
        Err(Error::TooManyValues { .. } | Error::TooLarge { .. }) => {
            let details: Details = space.read(id, &path.query("tail", SHORT_TAIL_MESSAGES)).await?;
            Ok(Details { is_truncated: true, ..details })
        }
        read => read,
    }
}

/// Streams the raw log of a task.
pub async fn log(
    space: &Space,
    id: &Id<Task>,
) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<>, Error> {
    let path = space.path([Task::COLLECTION, id.as_str(), "raw"]);
    match space.session().stream(&path).await {
        Err(Error::NotFound { .. }) => Err(space.id_not_found(id)),
        stream => stream,
    }
}

//! `get_task_details`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    TaskSummary,
    activity::{self, Failure, Shown},
};
use crate::{
    octopus::{
        Id,
        tasks::{self, Task},
    },
    tool::{Context, Error, Tool},
};

/// Find out what happened in a task: why it failed (the failing path first, with its error lines)
/// and how each step and target ended. For the full text of the log use get_task_raw.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetTaskDetails {
    /// The space: its name, slug or ID.
    space: Option<String>,
    /// The ID of the task, like ServerTasks-123.
    task_id: String,
    /// Whether steps that went well show their messages too.
    all_messages: Option<bool>,
    /// How large the answer may be, in bytes.
    #[expect(dead_code, reason = "`tool::Entry::call` reads it for every tool")]
    max_bytes: Option<u32>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskDetails {
    task: TaskSummary,
    /// What failed, the deepest cause first. Empty where nothing did.
    failures: Vec<Failure>,
    progress: Option<TaskProgress>,
    /// The size of the raw log in bytes.
    physical_log_size: Option<u64>,
    /// The tree of steps and targets: name, status, started, ended, messages, children.
    activity_logs: Vec<Value>,
    /// What was left out of activityLogs to keep the answer short.
    left_out: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TaskProgress {
    progress_percentage: Option<f64>,
    estimated_time_remaining: Option<String>,
}

/// How many messages of each node are read.
const TAIL: u32 = 200;

impl Tool for GetTaskDetails {
    const NAME: &'static str = "get_task_details";
    const TITLE: &'static str = "Get what happened in a task";

    type Output = TaskDetails;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let id = Id::<Task>::parse(&self.task_id)?;
        let space = cx.space(self.space.as_deref()).await?;
        let details = tasks::details(&space, &id, false, TAIL).await?;
        let task = TaskSummary::named(&space, details.task).await?;
        // Half for why it failed, the rest for the tree.
        let failures = activity::failures(&details.activity_logs, cx.limits.answer / 2);
        let spent = serde_json::to_vec(&failures).map_or(0, |json| json.len()) + 2048;
        let room = cx.limits.answer.saturating_sub(spent);
        let everything = self.all_messages == Some(true);
        let Shown { tree, left_out } = activity::tree(&details.activity_logs, everything, room);
        Ok(TaskDetails {
            task,
            failures,
            progress: details.progress.map(|progress| TaskProgress {
                progress_percentage: progress.progress_percentage,
                estimated_time_remaining: progress.estimated_time_remaining,
            }),
            physical_log_size: details.physical_log_size,
            activity_logs: tree,
            left_out,
        })
    }
}

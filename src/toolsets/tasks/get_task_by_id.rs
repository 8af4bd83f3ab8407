//! `get_task_by_id`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::TaskSummary;
use crate::{
    octopus::{Id, tasks::Task},
    tool::{Context, Error, Tool},
};

/// Get one server task: its state, times, error and what it works on. A deployment's task is its
/// taskId. For what happened in it use get_task_details.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetTaskById {
    /// The space: its name, slug or ID.
    space: Option<String>,
    /// The ID of the task, like ServerTasks-123.
    task_id: String,
}

impl Tool for GetTaskById {
    const NAME: &'static str = "get_task_by_id";
    const TITLE: &'static str = "Get a task";

    type Output = TaskSummary;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let id = Id::<Task>::parse(&self.task_id)?;
        let space = cx.space(self.space.as_deref()).await?;
        let task = space.get(&id).await?;
        Ok(TaskSummary::named(&space, task).await?)
    }
}

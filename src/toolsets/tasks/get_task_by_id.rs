//! `get_task_by_id`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::TaskSummary;
use crate::{
    octopus::{Id, tasks::Task},
    tool::{Context, Error, SpaceArg, TaskArg, Tool},
};

/// Get the state, times and error of one server task. get_task_details also has its steps and
/// failures.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetTaskById {
    space: Option<SpaceArg>,
    task_id: TaskArg,
}

impl Tool for GetTaskById {
    const NAME: &'static str = "get_task_by_id";
    const TITLE: &'static str = "Get a task";
    const KEEPS_TO_PROJECT: bool = true;

    type Output = TaskSummary;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let id = Id::<Task>::parse(&self.task_id)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let task: Task = space.get(&id).await?;
        cx.ensure_project_in_scope(&space, task.project_id.as_ref()).await?;
        Ok(TaskSummary::named(&space, task).await?)
    }
}

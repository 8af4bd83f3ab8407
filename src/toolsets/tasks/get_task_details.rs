//! `get_task_details`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::TaskDetails;
use crate::{
    octopus::{
        Id,
        projects::Project,
        tasks::{self, Task},
    },
    tool::{Context, Error, NamesById, SpaceArg, TaskArg, Tool},
};

/// Get the failures of a task with their error lines, and the outcome of each step and target.
/// get_task_raw has the full log.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetTaskDetails {
    space: Option<SpaceArg>,
    task_id: TaskArg,
    /// Include messages of successful steps.
    #[schemars(extend("default" = false))]
    all_messages: Option<bool>,
}

impl Tool for GetTaskDetails {
    const NAME: &'static str = "get_task_details";
    const TITLE: &'static str = "Get what happened in a task";
    const TAKES_MAX_BYTES: bool = true;
    const KEEPS_TO_PROJECT: bool = true;

    type Output = TaskDetails;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let id = Id::<Task>::parse(&self.task_id)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let details = tasks::details(&space, &id).await?;
        let project = details.task.project_id.as_ref();
        cx.ensure_project_in_scope(&space, project).await?;
        let names = NamesById::lookup::<Project>(&space, project).await?;
        let project_name = project.and_then(|id| names.get(id.as_str()));
        let everything = self.all_messages == Some(true);
        let max_bytes = cx.limits.answer;
        TaskDetails::of(cx, &space, details, project_name, everything, max_bytes).await
    }
}

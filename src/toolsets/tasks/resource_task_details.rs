//! The resource `task-details`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    octopus::{Id, Resource as _, document, tasks::Task},
    tool::{Contents, Context, Error, Resource},
};

/// A task with the complete tree of its steps and targets, and the last 1000 non-verbose messages
/// of each step. Large: get_task_details is a shorter form. No resource has the raw log.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TaskDetailsResource {
    space_name: String,
    task_id: String,
}

/// Number of messages per step to read. The default of Octopus is not documented.
const TAIL: u32 = 1_000;

impl Resource for TaskDetailsResource {
    const NAME: &'static str = "task-details";
    const TITLE: &'static str = "Task with its steps and messages";
    const TEMPLATE: &'static str = "octopus://spaces/{spaceName}/tasks/{taskId}/details";
    const KEEPS_TO_PROJECT: bool = true;

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let id = Id::<Task>::parse(&self.task_id)?;
        let space = cx.resolve_space(Some(&self.space_name)).await?;
        super::ensure_task_in_scope(&space, &id, cx).await?;
        let path = space.path([Task::COLLECTION, id.as_str(), "details"]);
        let path = path.query("verbose", false).query("tail", TAIL);
        Ok(Contents::Json(document::read_at(&space, &id, &path).await?))
    }
}

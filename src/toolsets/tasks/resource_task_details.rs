//! The resource `task-details`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    octopus::{Id, Resource as _, document, tasks::Task},
    tool::{Contents, Context, Error, Resource},
};

/// A task with the whole tree of its steps, targets and messages, of each the last 1000 that are
/// not verbose: large. The tools for tasks show
/// what failed in less; there is no resource for the raw log.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TaskDetailsResource {
    space_name: String,
    task_id: String,
}

/// How many messages of each step are read. What Octopus does without a number is not documented.
const TAIL: u32 = 1_000;

impl Resource for TaskDetailsResource {
    const NAME: &'static str = "task-details";
    const TITLE: &'static str = "Task with its steps and messages";
    const TEMPLATE: &'static str = "octopus://spaces/{spaceName}/tasks/{taskId}/details";
    const KEEPS_TO_PROJECT: bool = true;

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let id = Id::<Task>::parse(&self.task_id)?;
        let space = cx.space(Some(&self.space_name)).await?;
        super::keep(&space, &id, cx).await?;
        let path = space.path([Task::COLLECTION, id.as_str(), "details"]);
        let path = path.with("verbose", false).with("tail", TAIL);
        Ok(Contents::Json(document::whole_at(&space, &id, &path).await?))
    }
}

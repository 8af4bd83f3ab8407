//! The resource `task`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    octopus::{Id, document, tasks::Task},
    tool::{Contents, Context, Error, Resource},
};

/// A task with all fields but without its steps: small, for checking its state.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TaskResource {
    space_name: String,
    task_id: String,
}

impl Resource for TaskResource {
    const NAME: &'static str = "task";
    const TITLE: &'static str = "Task";
    const TEMPLATE: &'static str = "octopus://spaces/{spaceName}/tasks/{taskId}";
    const KEEPS_TO_PROJECT: bool = true;

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let id = Id::<Task>::parse(&self.task_id)?;
        let space = cx.resolve_space(Some(&self.space_name)).await?;
        super::ensure_task_in_scope(&space, &id, cx).await?;
        Ok(Contents::Json(document::read(&space, &id).await?))
    }
}

//! Toolset `tasks`: server tasks and their logs.

mod activity;
#[cfg(test)]
mod activity_tests;
mod details;
mod get_task_by_id;
mod get_task_details;
mod get_task_from_url;
mod get_task_raw;
mod grep_task_log;
mod log;
mod log_reader;
mod resource_task;
mod resource_task_details;
mod summary;

pub(super) use details::TaskDetails;

use summary::TaskSummary;

use crate::{
    octopus::{Id, Space, tasks::Task},
    tool::{Context, Definition, Error, ResourceDefinition, Toolset},
};

/// Rejects a task of another project than the pinned one.
///
/// # Errors
///
/// The errors of [`Context::ensure_project_in_scope`]. Returns `Ok` if the request pins no project.
async fn ensure_task_in_scope(space: &Space, id: &Id<Task>, cx: &Context) -> Result<(), Error> {
    if cx.pinned_project().is_none() {
        return Ok(());
    }
    let task: Task = space.get(id).await?;
    cx.ensure_project_in_scope(space, task.project_id.as_ref()).await
}

pub(super) const TOOLSET: Toolset = Toolset {
    name: "tasks",
    summary: "Server tasks and their logs",
    paths: &["tasks", "/tasks", "artifacts"],
    tools: &[
        Definition::of::<get_task_by_id::GetTaskById>(),
        Definition::of::<get_task_details::GetTaskDetails>(),
        Definition::of::<get_task_raw::GetTaskRaw>(),
        Definition::of::<get_task_from_url::GetTaskFromUrl>(),
        Definition::of::<grep_task_log::GrepTaskLog>(),
    ],
    resources: &[
        ResourceDefinition::of::<resource_task::TaskResource>(),
        ResourceDefinition::of::<resource_task_details::TaskDetailsResource>(),
    ],
};

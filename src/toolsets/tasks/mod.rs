//! Tasks: the work that Octopus does, and what it wrote while doing it.

mod activity;
mod details;
mod get_task_by_id;
mod get_task_details;
mod get_task_from_url;
mod get_task_raw;
mod grep_task_log;
mod log;
mod resource_task;
mod resource_task_details;
mod summary;

pub(super) use details::TaskDetails;

use summary::TaskSummary;

use crate::tool::{Definition, ResourceDefinition, Toolset};

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

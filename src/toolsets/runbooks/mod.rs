//! Toolset `runbooks`: runbooks and runbook runs.

mod find_runbooks;
mod last_runs;
mod resource_git_runbook;
mod resource_runbook;
mod run_runbook;
mod summary;

use crate::tool::{Definition, ResourceDefinition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "runbooks",
    summary: "Runbooks and their runs",
    paths: &[
        "runbooks",
        "runbookruns",
        "runbook-runs",
        "runbookprocesses",
        "runbooksnapshots",
        "projects/*/runbooks",
        "projects/*/runbookprocesses",
        "projects/*/runbookruns",
        "projects/*/runbooksnapshots",
        "projects/*/*/runbooks",
        "projects/*/*/runbookprocesses",
        "projects/*/*/runbookruns",
        "projects/*/*/runbooksnapshots",
        "progression/runbooks",
    ],
    tools: &[
        Definition::of::<find_runbooks::FindRunbooks>(),
        Definition::of_write_tool::<run_runbook::RunRunbook>(),
    ],
    resources: &[
        ResourceDefinition::of::<resource_runbook::RunbookResource>(),
        ResourceDefinition::of::<resource_git_runbook::GitRunbookResource>(),
    ],
};

//! Runbooks: what is done to run things, beside deploying them.

use crate::tool::Toolset;

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
    tools: &[],
    resources: &[],
};

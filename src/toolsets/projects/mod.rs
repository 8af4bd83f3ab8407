//! Toolset `projects`: projects, deployment processes and variables.

mod get_deployment_process;
mod get_variables;
mod list_projects;
mod process;
mod variables;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "projects",
    summary: "Projects, their processes and variables",
    paths: &[
        "projects",
        "projectgroups",
        "lifecycles",
        "deploymentprocesses",
        "projects/*/deploymentprocesses",
        "projects/*/*/deploymentprocesses",
        "deploymentsettings",
        "projecttriggers",
        "variables",
        "libraryvariablesets",
        "projects/*/variables",
        "projects/*/*/variables",
        "actiontemplates",
        "communityactiontemplates",
    ],
    tools: &[
        Definition::of::<list_projects::ListProjects>(),
        Definition::of::<get_deployment_process::GetDeploymentProcess>(),
        Definition::of::<get_variables::GetVariables>(),
    ],
    resources: &[],
};

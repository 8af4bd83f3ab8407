//! Projects: what is deployed, and how.

mod list_projects;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "projects",
    summary: "Projects",
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
    tools: &[Definition::of::<list_projects::ListProjects>()],
    resources: &[],
};

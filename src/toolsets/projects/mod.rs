//! Projects: what is deployed, and how.

mod list_projects;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "projects",
    summary: "Projects",
    tools: &[Definition::of::<list_projects::ListProjects>()],
};

//! What it means that Octopus knows no toggles of a project.

use crate::{octopus::projects::Project, tool::Error};

/// The project is there, so its toggles would be, were they on.
pub(super) fn absent(project: &Project) -> Error {
    Error::Invalid(format!(
        "Octopus has no feature toggles for project '{}' ({}): they may be switched off on this \
         instance or in this space, or the project ID is wrong",
        project.name, project.id
    ))
}

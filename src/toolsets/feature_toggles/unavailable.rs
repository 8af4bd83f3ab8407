//! The error for a project without the feature toggle API.

use crate::{octopus::projects::Project, tool::Error};

/// Returns the error for "not found" from the toggle API of an existing project.
pub(super) fn toggles_unavailable(project: &Project) -> Error {
    Error::Invalid(format!(
        "Octopus has no feature toggles for project '{}' ({}): they may be disabled on this \
         instance or in this space, or the project ID is wrong",
        project.name, project.id
    ))
}

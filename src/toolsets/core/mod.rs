//! Where everything begins: the spaces of an instance and the environments of a space.

mod list_environments;
mod list_spaces;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "core",
    summary: "Spaces and environments",
    paths: &[
        "/",
        "/spaces",
        "/users/me",
        "/users/*/permissions",
        "/serverstatus",
        "/capabilities",
        "/experimental",
        "/featuresconfiguration",
        "environments",
        "spaces",
    ],
    tools: &[
        Definition::of::<list_spaces::ListSpaces>(),
        Definition::of::<list_environments::ListEnvironments>(),
    ],
    resources: &[],
};

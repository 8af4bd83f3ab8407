//! Where everything begins: the spaces of an instance, the environments of a space, its API.

mod grep_llms_txt;
mod list_environments;
mod list_spaces;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "core",
    summary: "Spaces, environments and the API",
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
        Definition::of::<grep_llms_txt::GrepLlmsTxt>(),
    ],
    resources: &[],
};

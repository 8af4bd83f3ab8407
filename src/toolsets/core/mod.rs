//! Toolset `core`: instances, spaces, environments, resources and the REST API.
//!
//! `execute` sends any API request. Its helper modules determine the resources that a request
//! accesses, so that policy rules apply. `request_names` reads names from path and body,
//! `unread_fields` marks unknown kinds, and `change_access` combines both for a change.

mod change_access;
mod execute;
mod grep_llms_txt;
mod list_environments;
mod list_instances;
mod list_spaces;
mod read_resource;
mod request_names;
mod resource_capabilities;
mod resource_llms_txt;
mod resource_space;
mod response;
mod unread_fields;

use crate::tool::{Definition, ResourceDefinition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "core",
    summary: "Spaces, environments and the API",
    paths: &[
        "/",
        "/spaces",
        "/spaces/*/search",
        "/spaces/*/logo",
        "/users/me",
        "/users/*/permissions",
        "/permissions",
        "/serverstatus",
        "/capabilities",
        "/experimental/llms.txt",
        "/featuresconfiguration",
        "/configuration/feature-toggles",
        "/configuration/enabled-feature-toggles",
        "environments",
    ],
    tools: &[
        Definition::of::<list_instances::ListInstances>(),
        Definition::of::<list_spaces::ListSpaces>(),
        Definition::of::<list_environments::ListEnvironments>(),
        Definition::of::<grep_llms_txt::GrepLlmsTxt>(),
        Definition::of_write_tool::<execute::Execute>(),
        Definition::of::<read_resource::ReadResource>(),
    ],
    resources: &[
        ResourceDefinition::of::<resource_capabilities::CapabilitiesResource>(),
        ResourceDefinition::of::<resource_llms_txt::LlmsTxtResource>(),
        ResourceDefinition::of::<resource_space::SpaceResource>(),
    ],
};

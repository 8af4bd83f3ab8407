//! Toolset `interruptions`: tasks that wait for a person.

mod find_interruptions;
mod resource_interruption;
mod summary;

use crate::tool::{Definition, ResourceDefinition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "interruptions",
    summary: "Tasks that wait for a person",
    paths: &["interruptions"],
    tools: &[Definition::of::<find_interruptions::FindInterruptions>()],
    resources: &[ResourceDefinition::of::<resource_interruption::InterruptionResource>()],
};

//! Interruptions: where a task waits for a person.

mod find_interruptions;
mod summary;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "interruptions",
    summary: "Tasks that wait for a person",
    paths: &["interruptions"],
    tools: &[Definition::of::<find_interruptions::FindInterruptions>()],
    resources: &[],
};

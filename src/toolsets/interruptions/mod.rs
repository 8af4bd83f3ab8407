//! Interruptions: where a task waits for a person.

use crate::tool::Toolset;

pub(super) const TOOLSET: Toolset = Toolset {
    name: "interruptions",
    summary: "Tasks that wait for a person",
    paths: &["interruptions"],
    tools: &[],
    resources: &[],
};

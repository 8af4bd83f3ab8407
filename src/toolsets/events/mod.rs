//! Toolset `events`: the audit log of Octopus.

mod filters;
mod find_events;
mod summary;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "events",
    summary: "The audit log",
    paths: &["events", "/events", "subscriptions"],
    tools: &[Definition::of::<find_events::FindEvents>()],
    resources: &[],
};

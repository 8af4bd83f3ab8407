//! Events: who did what, and when.

use crate::tool::Toolset;

pub(super) const TOOLSET: Toolset = Toolset {
    name: "events",
    summary: "The audit log",
    paths: &["events", "/events", "subscriptions"],
    tools: &[],
    resources: &[],
};

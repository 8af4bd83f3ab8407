//! What surrounds the rest: who calls, and the branches of projects in Git.

use crate::tool::Toolset;

pub(super) const TOOLSET: Toolset = Toolset {
    name: "context",
    summary: "The caller, and Git branches",
    paths: &["projects/*/git", "git-credentials", "/users/*/spaces", "/users/*/teams"],
    tools: &[],
    resources: &[],
};

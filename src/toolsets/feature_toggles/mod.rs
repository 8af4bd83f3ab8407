//! Feature toggles of projects, and their state in each environment.

use crate::tool::Toolset;

pub(super) const TOOLSET: Toolset = Toolset {
    name: "featureToggles",
    summary: "Feature toggles",
    paths: &["projects/*/featuretoggles"],
    tools: &[],
    resources: &[],
};

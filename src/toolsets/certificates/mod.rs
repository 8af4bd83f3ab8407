//! Certificates that deployments use.

use crate::tool::Toolset;

pub(super) const TOOLSET: Toolset = Toolset {
    name: "certificates",
    summary: "Certificates",
    paths: &["certificates"],
    tools: &[],
    resources: &[],
};

//! Accounts for clouds and machines that deployments use.

use crate::tool::Toolset;

pub(super) const TOOLSET: Toolset = Toolset {
    name: "accounts",
    summary: "Accounts",
    paths: &["accounts"],
    tools: &[],
    resources: &[],
};

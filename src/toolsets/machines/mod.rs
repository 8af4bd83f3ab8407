//! Toolset `machines`: deployment targets and their health.

mod find_deployment_targets;
mod target;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "machines",
    summary: "Deployment targets and their health",
    paths: &[
        "machines",
        "environments/*/machines",
        "machineroles",
        "deploymenttargettags",
        "machinepolicies",
        "workers",
        "workerpools",
        "proxies",
    ],
    tools: &[Definition::of::<find_deployment_targets::FindDeploymentTargets>()],
    resources: &[],
};

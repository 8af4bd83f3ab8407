//! Deployment targets: what deployments go to, and how they are.

use crate::tool::Toolset;

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
    tools: &[],
    resources: &[],
};

//! Toolset `deployments`: deployments of releases to environments and tenants.

mod current_deployments;
mod deploy_release;
mod get_deployment_from_url;
mod get_latest_deployment;
mod list_deployments;
mod promotions;
mod summary;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "deployments",
    summary: "Deployments and how they ended",
    paths: &[
        "deployments",
        "dashboard",
        "dashboardconfiguration",
        "progression",
        "projects/*/deployments",
        "projects/*/progression",
        "releases/*/deployments",
        "releases/*/progression",
        "reporting",
        "insights",
        "projects/*/insights",
        "/deploymentfreezes",
    ],
    tools: &[
        Definition::of::<list_deployments::ListDeployments>(),
        Definition::of::<get_latest_deployment::GetLatestDeployment>(),
        Definition::of::<get_deployment_from_url::GetDeploymentFromUrl>(),
        Definition::of_write_tool::<deploy_release::DeployRelease>(),
    ],
    resources: &[],
};

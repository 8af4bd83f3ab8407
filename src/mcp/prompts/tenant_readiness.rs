//! `tenant_readiness`: checks whether a tenant is ready for deployments.

use super::{
    PromptDefinition,
    shared::{SPACE_ARGUMENT, optional, optional_step, required, required_step},
};

pub(super) const PROMPT: PromptDefinition = PromptDefinition {
    name: "tenant_readiness",
    title: "Check tenant readiness",
    description: "Check whether a tenant has everything that its deployments need.",
    arguments: &[
        SPACE_ARGUMENT,
        required("tenant", "Name, slug or ID of the tenant."),
        optional("project", "Only this project, by name, slug or ID."),
        optional("environment", "Only this environment, by name, slug or ID."),
    ],
    task: &[
        "Check whether the tenant {tenant} is ready for deployments",
        " of the project {project}",
        " to {environment}",
        ".",
    ],
    steps: &[
        required_step(
            "get_tenant_by_id",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "tenantId {tenant}: which projects and environments it is connected to, and \
                 whether it is disabled.",
            ],
        ),
        required_step(
            "get_missing_tenant_variables",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "projectId {project}, ",
                "environmentId {environment}, ",
                "tenantId {tenant} and includeDetails: its missing values.",
            ],
        ),
        optional_step(
            "find_deployment_targets",
            &["Call {tool} for the tenant: does each environment have healthy targets for it?"],
        ),
        optional_step(
            "list_deployments",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "tenants [{tenant}]: the results of its latest deployments.",
            ],
        ),
    ],
    answer: "ready or not, for each project and environment; the missing values, by name and where \
             to set them; other blockers.",
};

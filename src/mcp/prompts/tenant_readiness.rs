//! `tenant_readiness`: whether a tenant has all that it needs.

use super::{
    Definition,
    parts::{IN_SPACE, first, needed, optional, perhaps},
};

pub(super) const PROMPT: Definition = Definition {
    name: "tenant_readiness",
    title: "Is a tenant ready",
    description: "Look whether a tenant has all that deployments to it need.",
    arguments: &[
        IN_SPACE,
        needed("tenant", "The tenant: its name, slug or ID."),
        optional("project", "Only for this project."),
        optional("environment", "Only for this environment."),
    ],
    task: &[
        "Look whether the tenant {tenant} is ready for deployments",
        " of the project {project}",
        " to {environment}",
        ".",
    ],
    steps: &[
        first(
            "get_tenant_by_id",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "tenantId {tenant}: which projects and environments it is connected to, and \
                 whether it is switched off.",
            ],
        ),
        first(
            "get_missing_tenant_variables",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "projectId {project}, ",
                "environmentId {environment}, ",
                "tenantId {tenant} and includeDetails: values that it lacks.",
            ],
        ),
        perhaps(
            "find_deployment_targets",
            &["Call {tool} for the tenant: does it have healthy targets where it needs them?"],
        ),
        perhaps(
            "list_deployments",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "tenants [{tenant}]: how the last ones went.",
            ],
        ),
    ],
    answer: "ready or not, for each project and environment; the values that are missing, by \
             name and where they are set; what else stands in the way.",
};

//! `what_is_deployed_where`: shows the release in each environment.

use super::{
    PromptDefinition,
    shared::{SPACE_ARGUMENT, optional, optional_step, required_step},
};

pub(super) const PROMPT: PromptDefinition = PromptDefinition {
    name: "what_is_deployed_where",
    title: "What is deployed where",
    description: "Show which release runs in which environment, for one project or all.",
    arguments: &[
        SPACE_ARGUMENT,
        optional("project", "Only this project."),
        optional("environment", "Only this environment."),
        optional("tenant", "Only this tenant."),
    ],
    task: &[
        "Show which release",
        " of the project {project}",
        " is deployed",
        " to {environment}",
        " for the tenant {tenant}",
        ", and since when.",
    ],
    steps: &[
        required_step(
            "list_environments",
            &["Call {tool}", " with space {space}", ": environments are in promotion order."],
        ),
        required_step(
            "list_deployments",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "projects [{project}], ",
                "environments [{environment}], ",
                "tenants [{tenant}], ",
                "taskState \"Success\" and take 100. The newest for each project, environment and \
                 tenant is the current release; follow nextSkip until each has one or a month is \
                 covered.",
            ],
        ),
        optional_step(
            "list_deployments",
            &["Call {tool} the same way with taskState \"Executing\": deployments in progress."],
        ),
        optional_step(
            "get_kubernetes_live_status",
            &["For a project that runs in Kubernetes, call {tool} with summaryOnly to check \
                 whether its deployed objects are healthy."],
        ),
    ],
    answer: "a table with a row for each project and a column for each environment, in their \
             order: the release's version and the day. Point out where a later environment is \
             ahead of an earlier one, or far behind.",
};

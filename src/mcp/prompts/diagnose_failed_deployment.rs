//! `diagnose_failed_deployment`: finds the cause of a failed deployment.

use super::{
    PromptDefinition,
    shared::{
        PROJECT_ARGUMENT, SEARCH_LOG, SPACE_ARGUMENT, optional, optional_step, required_step,
    },
};

pub(super) const PROMPT: PromptDefinition = PromptDefinition {
    name: "diagnose_failed_deployment",
    title: "Diagnose a failed deployment",
    description: "Find out why the last failed deployment of a project failed, and what to do.",
    arguments: &[
        SPACE_ARGUMENT,
        PROJECT_ARGUMENT,
        optional("environment", "Only deployments to this environment."),
        optional("tenant", "Only deployments for this tenant."),
    ],
    task: &[
        "Find out why the last failed deployment of the project {project}",
        " to {environment}",
        " for the tenant {tenant}",
        " failed.",
    ],
    steps: &[
        required_step(
            "list_deployments",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "projects [{project}], ",
                "environments [{environment}], ",
                "tenants [{tenant}], ",
                "taskState \"Failed\" and take 5. Take the newest; if there is none, say so and \
                 stop.",
            ],
        ),
        required_step(
            "get_task_details",
            &["Call {tool} with its taskId. `failures` names the steps and targets that failed, \
                 with their last messages."],
        ),
        SEARCH_LOG,
        optional_step(
            "list_deployments",
            &["Call {tool} again with taskState \"Success\" for the same project, environment \
                 and tenant, to find the last successful one: another release, or the same?"],
        ),
        optional_step(
            "find_events",
            &["Call {tool} for the time between these two deployments: what changed in the \
                 project, its variables, the environment or its targets?"],
        ),
    ],
    answer: "which step failed on which target; the exact error message; the differences from the \
             last successful deployment; the most likely cause, and what to try first.",
};

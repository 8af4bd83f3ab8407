//! `prepare_promotion`: checks whether a release is ready for its next environment.

use super::{
    PromptDefinition,
    shared::{PROJECT_ARGUMENT, SPACE_ARGUMENT, optional, optional_step, required, required_step},
};

pub(super) const PROMPT: PromptDefinition = PromptDefinition {
    name: "prepare_promotion",
    title: "Prepare a promotion",
    description: "Check whether a release is ready for its next environment, without deploying it.",
    arguments: &[
        SPACE_ARGUMENT,
        PROJECT_ARGUMENT,
        required("environment", "Name, slug or ID of the target environment."),
        optional("release", "Version of the release (default: the newest)."),
        optional("tenant", "Name, slug or ID of the tenant."),
    ],
    task: &[
        "Check whether the project {project} is ready to be promoted to {environment}",
        " with its release {release}",
        " for the tenant {tenant}",
        ". Change nothing.",
    ],
    steps: &[
        required_step(
            "list_releases_for_project",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "projectId {project}, ",
                "searchByVersion {release}, ",
                "to get the release (the newest unless one is named).",
            ],
        ),
        required_step(
            "list_deployments",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "projects [{project}], ",
                "tenants [{tenant}], ",
                "and take 50, for the deployments of the release and their results, and for the \
                 release in {environment} now.",
            ],
        ),
        optional_step(
            "get_missing_tenant_variables",
            &["Call {tool} with includeDetails for {environment}", " and the tenant {tenant}", "."],
        ),
        optional_step(
            "find_deployment_targets",
            &["Call {tool} for {environment}: are its targets healthy and enabled?"],
        ),
        optional_step(
            "find_interruptions",
            &["Call {tool}: does a task of the project wait for a person?"],
        ),
        optional_step(
            "deploy_release",
            &["Only if the user asks for it after your answer, call {tool}; it shows a preview \
                 and needs the user's approval."],
        ),
    ],
    answer: "ready or not, and why; what would change in the environment, from which release to \
             which, with the release notes in between; each blocker, with what to do about it.",
};

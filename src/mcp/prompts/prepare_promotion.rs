//! `prepare_promotion`: whether a release is ready for its next environment.

use super::{
    Definition,
    parts::{IN_SPACE, PROJECT, first, needed, optional, perhaps},
};

pub(super) const PROMPT: Definition = Definition {
    name: "prepare_promotion",
    title: "Prepare a promotion",
    description: "Look whether a release is ready for its next environment, without deploying it.",
    arguments: &[
        IN_SPACE,
        PROJECT,
        needed("environment", "The environment that it should go to."),
        optional("release", "The version of the release; without it the newest."),
        optional("tenant", "The tenant that it is for."),
    ],
    task: &[
        "Look whether the project {project} is ready to be promoted to {environment}",
        " with its release {release}",
        " for the tenant {tenant}",
        ". Change nothing.",
    ],
    steps: &[
        first(
            "list_releases_for_project",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "projectId {project}, ",
                "searchByVersion {release}, ",
                "to get the release (the newest unless one is named).",
            ],
        ),
        first(
            "list_deployments",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "projects [{project}], ",
                "tenants [{tenant}], ",
                "and take 50: where the release has been and how that went, and what is in \
                 {environment} now.",
            ],
        ),
        perhaps(
            "get_missing_tenant_variables",
            &["Call {tool} with includeDetails for {environment}", " and the tenant {tenant}", "."],
        ),
        perhaps(
            "find_deployment_targets",
            &["Call {tool} for {environment}: are its targets healthy and enabled?"],
        ),
        perhaps(
            "find_interruptions",
            &["Call {tool}: does anything of the project wait for a person?"],
        ),
        perhaps(
            "deploy_release",
            &["Only when the user asks for it after your answer, call {tool}; it shows what it \
                 would do and needs their yes."],
        ),
    ],
    answer: "ready or not, and why; what would change in the environment, from which release to \
             which, with the notes between; what stands in the way, each with what to do about it.",
};

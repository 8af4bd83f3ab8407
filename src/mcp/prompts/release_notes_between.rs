//! `release_notes_between`: describes the changes between two releases.

use super::{
    PromptDefinition,
    shared::{PROJECT_ARGUMENT, SPACE_ARGUMENT, required, required_step},
};

pub(super) const PROMPT: PromptDefinition = PromptDefinition {
    name: "release_notes_between",
    title: "Release notes between two releases",
    description: "Write release notes for the changes between two releases of a project.",
    arguments: &[
        SPACE_ARGUMENT,
        PROJECT_ARGUMENT,
        required("from", "The version of the earlier release, whose changes are excluded."),
        required("to", "The version of the later release."),
    ],
    task: &[
        "Write release notes for the project {project}: the changes after release {from}, up to \
         and including release {to}.",
    ],
    steps: &[
        required_step(
            "list_releases_for_project",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "projectId {project}, and follow nextSkip until you have seen {from}. It lists \
                 the newest first. Keep the releases after {from} up to {to} on the same channel; \
                 if one of the two is missing, say so and stop.",
            ],
        ),
        required_step(
            "read_resource",
            &["Call {tool} with the resourceUri of each release whose notes are truncated or \
                 that has no notes or build information in the list: packages, commits, work items."],
        ),
    ],
    answer: "release notes for users of the software: new features, fixes and required actions; \
             then the work items with their links, and the packages with their old and new \
             versions.",
};

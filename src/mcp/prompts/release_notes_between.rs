//! `release_notes_between`: what changed between two releases.

use super::{
    Definition,
    parts::{IN_SPACE, PROJECT, first, needed},
};

pub(super) const PROMPT: Definition = Definition {
    name: "release_notes_between",
    title: "Release notes between two releases",
    description: "Write what changed in a project between two of its releases.",
    arguments: &[
        IN_SPACE,
        PROJECT,
        needed("from", "The version of the earlier release, which is not told of."),
        needed("to", "The version of the later release."),
    ],
    task: &[
        "Write what changed in the project {project} after its release {from}, up to and with its \
         release {to}.",
    ],
    steps: &[
        first(
            "list_releases_for_project",
            &[
                "Call {tool} with ",
                "space {space}, ",
                "projectId {project}, and follow nextSkip until you have seen {from}. It lists \
                 the newest first. Keep those after {from} and up to {to}, on the same channel; if \
                 one of the two is not there, say so and stop.",
            ],
        ),
        first(
            "read_resource",
            &[
                "Call {tool} with the resourceUri of each whose notes are cut, or that has no notes \
                 or build information in the list: packages, commits, work items.",
            ],
        ),
    ],
    answer: "release notes for people who use the software: what is new, what is fixed, what they \
             must do; then the work items with their links, and the packages whose version changed \
             from which to which.",
};

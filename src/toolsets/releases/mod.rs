//! Toolset `releases`: snapshots of a project's process, variables and packages under a version.

mod create_release;
mod get_release_by_id;
mod list_releases;
mod list_releases_for_project;
mod resource_release;
mod summary;

use crate::tool::{Definition, ResourceDefinition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "releases",
    summary: "Releases of projects",
    paths: &[
        "releases",
        "channels",
        "projects/*/releases",
        "projects/*/channels",
        "packages",
        "projects/*/packages",
        "feeds",
        "build-information",
    ],
    tools: &[
        Definition::of::<get_release_by_id::GetReleaseById>(),
        Definition::of::<list_releases::ListReleases>(),
        Definition::of::<list_releases_for_project::ListReleasesForProject>(),
        Definition::of_write_tool::<create_release::CreateRelease>(),
    ],
    resources: &[ResourceDefinition::of::<resource_release::ReleaseResource>()],
};

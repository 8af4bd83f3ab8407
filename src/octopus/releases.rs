//! Releases: a project's process, variables and packages, fixed under a version.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;
use serde_json::Value;

use super::{
    Error, Id, Page, Resource, Space, Window, channels::Channel, projects::Project,
    resource::null_as_default,
};

/// The fields of a release that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Release {
    pub id: Id<Release>,
    pub version: String,
    pub project_id: Id<Project>,
    pub channel_id: Option<Id<Channel>>,
    pub release_notes: Option<String>,
    pub assembled: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub ignore_channel_rules: bool,
    pub version_control_reference: Option<VersionControlReference>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub selected_packages: Vec<SelectedPackage>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub selected_git_resources: Vec<Value>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub build_information: Vec<Value>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub custom_fields: serde_json::Map<String, Value>,
}

/// Where in Git the process of a release was read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionControlReference {
    pub git_ref: Option<String>,
    pub git_commit: Option<String>,
}

/// The version of a package that a release holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SelectedPackage {
    pub action_name: Option<String>,
    pub step_name: Option<String>,
    pub package_reference_name: Option<String>,
    pub version: Option<String>,
}

impl Resource for Release {
    const NOUN: &'static str = "release";
    const ID_PREFIX: &'static str = "Releases-";
    const COLLECTION: &'static str = "releases";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// Reads a page of the releases of a space, newest first.
pub async fn list(space: &Space, window: Window) -> Result<Page<Release>, Error> {
    space.list(space.path([Release::COLLECTION]), window).await
}

/// Reads a page of the releases of a project, newest first.
pub async fn of_project(
    space: &Space,
    project: &Id<Project>,
    version: Option<&str>,
    window: Window,
) -> Result<Page<Release>, Error> {
    let path = space.path([Project::COLLECTION, project.as_str(), Release::COLLECTION]);
    space.list(path.with_some("searchByVersion", version), window).await
}

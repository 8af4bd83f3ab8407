//! Releases: a snapshot of a project's process, variables and packages with a version.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_json::Value;
use serde_with::{As, DefaultOnNull};

use super::{
    channels::Channel,
    lookup::find_in,
    name_collision::SentReference,
    projects::Project,
    resource::{Id, Resource},
    space::Space,
};
use crate::{
    octopus::client::{
        error::Error,
        page::{Page, PageRange},
        version::OctopusVersion,
    },
    text::nearest::nearest,
};

/// Fields of a release that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Release {
    pub id: Id<Release>,
    pub version: String,
    pub project_id: Id<Project>,
    pub channel_id: Option<Id<Channel>>,
    pub release_notes: Option<String>,
    pub assembled: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub ignore_channel_rules: bool,
    pub version_control_reference: Option<VersionControlReference>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub selected_packages: Vec<SelectedPackage>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub selected_git_resources: Vec<Value>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub build_information: Vec<Value>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub custom_fields: serde_json::Map<String, Value>,
}

/// Git reference and commit from which the process of a release was read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionControlReference {
    pub git_ref: Option<String>,
    pub git_commit: Option<String>,
}

/// Version of a package in a release.
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
    /// The root document of 2023.1 lists the filter; the API reference of 2023.4 does not.
    const IDS_REMOVED_IN: Option<OctopusVersion> = Some(OctopusVersion(2023, 4, 0));

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// Reads a page of the releases of a space, newest first.
pub async fn list(space: &Space, window: PageRange) -> Result<Page<Release>, Error> {
    space.list(space.path([Release::COLLECTION]), window).await
}

/// Reads a page of the releases of a project, newest first. `version` filters by version.
pub async fn list_for_project(
    space: &Space,
    project: &Id<Project>,
    version: Option<&str>,
    window: PageRange,
) -> Result<Page<Release>, Error> {
    let path = space.path([Project::COLLECTION, project.as_str(), Release::COLLECTION]);
    space.list(path.query_opt("searchByVersion", version), window).await
}

/// Reads the process that a new release would contain, to detect edits between preview and
/// approval. `None` if the process is not found or cannot be read.
pub async fn current_process(
    space: &Space,
    project: &Project,
    git_ref: Option<&str>,
) -> Result<Option<Value>, Error> {
    let path = match (git_ref, &project.deployment_process_id) {
        (Some(git_ref), _) => {
            space.path([Project::COLLECTION, project.id.as_str(), git_ref, "deploymentprocesses"])
        }
        (None, Some(process)) => space.path(["deploymentprocesses", process.as_str()]),
        (None, None) => return Ok(None),
    };
    match space.session().get(&path).await {
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// Reads the release of a project with exactly this version.
pub async fn by_exact_version(
    space: &Space,
    project: &Id<Project>,
    version: &str,
) -> Result<Release, Error> {
    let path = space.path([Project::COLLECTION, project.as_str(), Release::COLLECTION]);
    let release: Release = space.session().get(&path.join([version.trim()])).await?;
    // The last path segment may be a version or an ID, and an ID can belong to any project.
    if release.project_id != *project {
        return Err(space.id_not_found(&release.id));
    }
    Ok(release)
}

/// Reads the channels of a project, at most 500.
pub async fn list_channels(space: &Space, project: &Id<Project>) -> Result<Vec<Channel>, Error> {
    let path = space.path([Project::COLLECTION, project.as_str(), Channel::COLLECTION]);
    let window = PageRange { skip: 0, take: 500 };
    Ok(space.list::<Channel>(path, window).await?.items)
}

/// Selects the channel that a call names, or the default channel. A change sends its ID.
///
/// # Errors
///
/// Returns [`Error::NameCollision`] if another channel of the project has this ID as its name or
/// slug.
pub fn channel_for_change(
    space: &Space,
    channels: &[Channel],
    query: Option<&str>,
) -> Result<Option<Channel>, Error> {
    let found = match query {
        None => channels.iter().find(|channel| channel.is_default).or(channels.first()),
        Some(query) => match find_in(query, channels)? {
            None => return Err(space.name_not_found(query, channels.iter())),
            found => found,
        },
    };
    if let Some(found) = found {
        SentReference::by_id(found).ensure_unique_in(channels)?;
    }
    Ok(found.cloned())
}

/// Proposed version of a project's next release.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NextVersion {
    pub next_version_increment: Option<String>,
    /// Step with the package that determines the version, if any.
    pub versioning_package_step_name: Option<String>,
}

/// Reads the proposed version of a project's next release (`.../deploymentprocesses/template`).
pub async fn next_version(
    space: &Space,
    project: &Project,
    channel: &Channel,
    git_ref: Option<&str>,
) -> Result<NextVersion, Error> {
    let path = match (git_ref, &project.deployment_process_id) {
        (Some(git_ref), _) => space.path([Project::COLLECTION, project.id.as_str(), git_ref]),
        (None, Some(process)) => {
            let path = space.path(["deploymentprocesses", process.as_str(), "template"]);
            return space.session().get(&path.query("channel", &channel.id)).await;
        }
        (None, None) => space.path([Project::COLLECTION, project.id.as_str()]),
    };
    let path = path.join(["deploymentprocesses", "template"]);
    space.session().get(&path.query("channel", &channel.id)).await
}

/// Finds the release of a project with this version. If it does not exist, the error suggests
/// similar versions of the 100 newest releases.
pub async fn find_by_version(
    space: &Space,
    project: &Project,
    version: &str,
) -> Result<Release, Error> {
    let version = version.trim();
    if !version.is_empty() {
        match by_exact_version(space, &project.id, version).await {
            Err(Error::NotFound { .. }) => {}
            found => return found,
        }
    }
    let newest =
        list_for_project(space, &project.id, None, PageRange { skip: 0, take: 100 }).await?;
    let versions: Vec<&str> = newest.items.iter().map(|release| release.version.as_str()).collect();
    let near = nearest(version, versions.iter().copied(), 5).into_iter().map(str::to_owned);
    Err(Error::NotFound {
        noun: Release::NOUN,
        query: version.chars().take(200).collect(),
        location: Some(format!("{}, project {}", space.name(), project.name)),
        suggestions: near.collect(),
    })
}

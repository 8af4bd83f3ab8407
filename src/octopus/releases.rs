//! Releases: a project's process, variables and packages, fixed under a version.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;
use serde_json::Value;

use super::{
    Error, Id, Page, Resource, Space, Window, channels::Channel, find::choose, projects::Project,
    resource::null_as_default, rival::Meant,
};
use crate::text::nearest::nearest;

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

/// The process that a release would be made with, as it is now: so that an edit in between shows.
pub async fn process_now(
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

/// The release of a project with exactly this version.
pub async fn exactly(
    space: &Space,
    project: &Id<Project>,
    version: &str,
) -> Result<Release, Error> {
    let path = space.path([Project::COLLECTION, project.as_str(), Release::COLLECTION]);
    let release: Release = space.session().get(&path.then([version.trim()])).await?;
    // The last segment of the path is a version or an ID, and an ID may be of any project.
    if release.project_id != *project {
        return Err(space.not_found(&release.id));
    }
    Ok(release)
}

/// The channels of a project, up to a few hundred.
pub async fn channels_of(space: &Space, project: &Id<Project>) -> Result<Vec<Channel>, Error> {
    let path = space.path([Project::COLLECTION, project.as_str(), Channel::COLLECTION]);
    let window = Window { skip: 0, take: 500 };
    Ok(space.list::<Channel>(path, window).await?.items)
}

/// The channel of a project that a call means: the one that it names, or the default one. A change
/// sends its ID.
///
/// # Errors
/// [`Error::Confusable`] where another channel of the project has this ID as its name or slug.
pub fn channel_for_change(
    space: &Space,
    channels: &[Channel],
    wanted: Option<&str>,
) -> Result<Option<Channel>, Error> {
    let found = match wanted {
        None => channels.iter().find(|channel| channel.is_default).or(channels.first()),
        Some(wanted) => match choose(wanted, channels)? {
            None => return Err(space.no_such(wanted, channels.iter())),
            found => found,
        },
    };
    if let Some(found) = found {
        Meant::by_id(found).alone_in(channels)?;
    }
    Ok(found.cloned())
}

/// What the next release of a project would be called.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NextVersion {
    pub next_version_increment: Option<String>,
    /// The step whose package gives the version, where one does.
    pub versioning_package_step_name: Option<String>,
}

/// Asks what the next release of a project would be called (`.../deploymentprocesses/template`).
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
            return space.session().get(&path.with("channel", &channel.id)).await;
        }
        (None, None) => space.path([Project::COLLECTION, project.id.as_str()]),
    };
    let path = path.then(["deploymentprocesses", "template"]);
    space.session().get(&path.with("channel", &channel.id)).await
}

/// The release of a project with this version. Where there is none, the error has near ones.
pub async fn by_version(space: &Space, project: &Project, version: &str) -> Result<Release, Error> {
    let version = version.trim();
    if !version.is_empty() {
        match exactly(space, &project.id, version).await {
            Err(Error::NotFound { .. }) => {}
            found => return found,
        }
    }
    let newest = of_project(space, &project.id, None, Window { skip: 0, take: 100 }).await?;
    let versions: Vec<&str> = newest.items.iter().map(|release| release.version.as_str()).collect();
    let near = nearest(version, versions.iter().copied(), 5).into_iter().map(str::to_owned);
    Err(Error::NotFound {
        noun: Release::NOUN,
        wanted: version.chars().take(200).collect(),
        place: Some(format!("{}, project {}", space.name(), project.name)),
        near: near.collect(),
    })
}

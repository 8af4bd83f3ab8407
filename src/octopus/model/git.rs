//! Git data of version-controlled projects: branches, tags, commits, and documents at a Git
//! reference.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::{Deserialize, de::DeserializeOwned};
use serde_with::{As, DefaultOnNull};

use super::{
    projects::{PersistenceSettings, Project},
    resource::{Id, Resource},
    space::Space,
};
use crate::{
    octopus::client::{
        error::Error,
        page::{Page, PageRange},
        path::ApiPath,
    },
    text::nearest::nearest,
};

/// A branch or a tag.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Branch {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub name: String,
    /// Full reference, e.g. `refs/heads/main`.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub canonical_name: String,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_protected: bool,
}

/// A commit.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Commit {
    hash: String,
}

/// An existing branch, tag or commit, in the form that paths contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitRef(String);

impl GitRef {
    /// Returns the reference: `refs/heads/main`, `refs/tags/1.0`, or a commit hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Converts it into text.
    pub fn into_string(self) -> String {
        self.0
    }
}

const HEADS: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";
/// Number of branches that are read for suggestions.
const MAX_BRANCHES: u32 = 1_000;

impl Project {
    /// Returns the Git settings of the project; `None` if its process is in the database.
    pub fn git(&self) -> Option<&PersistenceSettings> {
        let settings = self.persistence_settings.as_ref()?;
        let is_in_git =
            self.is_version_controlled || settings.kind.as_deref() == Some("VersionControlled");
        is_in_git.then_some(settings)
    }

    /// Returns whether the non-sensitive variables are in Git.
    pub fn has_variables_in_git(&self) -> bool {
        self.git().is_some_and(|git| git.conversion_state.variables_are_in_git)
    }

    /// Returns whether the runbooks are in Git.
    pub fn has_runbooks_in_git(&self) -> bool {
        self.git().is_some_and(|git| git.conversion_state.runbooks_are_in_git)
    }

    /// Returns the default branch of a project in Git, if Octopus reports one.
    pub fn default_branch(&self) -> Option<&str> {
        self.git()?.default_branch.as_deref().filter(|branch| !branch.trim().is_empty())
    }
}

/// Reads a page of the branches of a project.
pub async fn branches(
    space: &Space,
    project: &Id<Project>,
    part: Option<&str>,
    window: PageRange,
) -> Result<Page<Branch>, Error> {
    let PageRange { skip, take } = window;
    let path = project_path(space, project, ["git", "branches"]).query_opt("searchByName", part);
    let path = path.query("skip", skip).query("take", take);
    space.session().page(&path, window).await
}

/// Finds a branch, tag or commit by its short name, its full name or its hash. The name must match
/// exactly. A branch takes precedence over a tag of the same name.
pub async fn find(space: &Space, project: &Id<Project>, query: &str) -> Result<GitRef, Error> {
    let query = query.trim();
    let short = |prefix: &str| match query.strip_prefix(prefix) {
        Some(short) => Some(short),
        None if query.starts_with("refs/") => None,
        None => Some(query),
    };
    let is_hash = (7..=64).contains(&query.len()) && query.bytes().all(|b| b.is_ascii_hexdigit());
    let named = |kind: &'static str, prefix: &'static str| async move {
        let Some(short) = short(prefix).filter(|short| !short.is_empty()) else { return Ok(None) };
        let name = format!("{prefix}{short}");
        let read: Option<Branch> = get_optional(space, project, kind, &name).await?;
        // Octopus decides whether the letter case matches; compare its result without case.
        let matches = |found: &Branch| found.canonical_name.eq_ignore_ascii_case(&name);
        Ok::<_, Error>(read.filter(matches).map(|found| GitRef(found.canonical_name)))
    };
    let commit = async {
        if !is_hash {
            return Ok(None);
        }
        let read: Option<Commit> = match get_optional(space, project, "commits", query).await {
            // Octopus may reject a short hash.
            Err(Error::Rejected { .. }) => None,
            read => read?,
        };
        let query = query.to_ascii_lowercase();
        let matches = |found: &Commit| found.hash.to_ascii_lowercase().starts_with(&query);
        Ok(read.filter(matches).map(|found| GitRef(found.hash)))
    };
    let (branch, tag, commit) =
        futures::try_join!(named("branches", HEADS), named("tags", TAGS), commit)?;
    match branch.or(tag).or(commit) {
        Some(found) => Ok(found),
        None => Err(ref_not_found(space, project, query).await),
    }
}

/// Resolves the reference that a call names, or the default branch. Returns `None` if the call
/// names none and the project has no default branch.
pub async fn resolve_or_default(
    space: &Space,
    project: &Project,
    given: Option<&str>,
) -> Result<Option<GitRef>, Error> {
    match (given, project.default_branch()) {
        (Some(query), _) => find(space, &project.id, query).await.map(Some),
        (None, Some(branch)) if branch.starts_with("refs/") => Ok(Some(GitRef(branch.to_owned()))),
        (None, Some(branch)) => Ok(Some(GitRef(format!("{HEADS}{branch}")))),
        (None, None) => Ok(None),
    }
}

/// Returns the path of a project's documents at a reference. The reference is a single path
/// segment.
pub fn path_at<'a>(
    space: &Space,
    project: &Id<Project>,
    reference: &'a GitRef,
    segments: impl IntoIterator<Item = &'a str>,
) -> ApiPath {
    project_path(space, project, [reference.as_str()]).join(segments)
}

/// Reads a project's document at a reference.
pub async fn read<T: DeserializeOwned + Send + 'static>(
    space: &Space,
    project: &Id<Project>,
    reference: &GitRef,
    collection: &str,
) -> Result<T, Error> {
    match space.session().get(&path_at(space, project, reference, [collection])).await {
        Err(Error::NotFound { .. }) => Err(ref_not_found(space, project, reference.as_str()).await),
        read => read,
    }
}

fn project_path<'a>(
    space: &Space,
    project: &'a Id<Project>,
    segments: impl IntoIterator<Item = &'a str>,
) -> ApiPath {
    space.path([Project::COLLECTION, project.as_str()]).join(segments)
}

async fn get_optional<T: DeserializeOwned + Send + 'static>(
    space: &Space,
    project: &Id<Project>,
    kind: &str,
    name: &str,
) -> Result<Option<T>, Error> {
    match space.session().get(&project_path(space, project, ["git", kind, name])).await {
        Err(Error::NotFound { .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// Creates the error for an unknown reference, with similar branch names.
pub(in crate::octopus) async fn ref_not_found(
    space: &Space,
    project: &Id<Project>,
    query: &str,
) -> Error {
    let all = branches(space, project, None, PageRange { skip: 0, take: MAX_BRANCHES }).await;
    let names: Vec<String> =
        all.map(|page| page.items.into_iter().map(|b| b.name).collect()).unwrap_or_default();
    let short = query.strip_prefix(HEADS).unwrap_or(query);
    let near = nearest(short, names.iter().map(String::as_str), 5);
    Error::NotFound {
        noun: "branch, tag or commit",
        query: query.chars().take(200).collect(),
        location: None,
        suggestions: near.into_iter().map(str::to_owned).collect(),
    }
}

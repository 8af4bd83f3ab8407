//! What of a project lives in Git, and what a branch, a tag or a commit is called there.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Error, Id, Page, Path, Resource, Space, Window,
    projects::{PersistenceSettings, Project},
    resource::null_as_default,
};
use crate::text::nearest::nearest;

/// A branch, or a tag.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Branch {
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// The whole reference: `refs/heads/main`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub canonical_name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_protected: bool,
}

/// A commit.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Commit {
    hash: String,
}

/// A branch, a tag or a commit that there is, as it stands in paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    /// `refs/heads/main`, `refs/tags/1.0`, or the hash of a commit.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, for an answer.
    pub fn into_string(self) -> String {
        self.0
    }
}

const HEADS: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";
/// How many branches are read to find near names.
const BRANCHES: u32 = 1_000;

impl Project {
    /// Where in Git the project keeps its process; `None` where it is in the database.
    pub fn git(&self) -> Option<&PersistenceSettings> {
        let settings = self.persistence_settings.as_ref()?;
        let is_in_git =
            self.is_version_controlled || settings.kind.as_deref() == Some("VersionControlled");
        is_in_git.then_some(settings)
    }

    /// Whether the variables that are not sensitive are in Git too.
    pub fn has_variables_in_git(&self) -> bool {
        self.git().is_some_and(|git| git.conversion_state.variables_are_in_git)
    }

    /// Whether the runbooks are in Git too.
    pub fn has_runbooks_in_git(&self) -> bool {
        self.git().is_some_and(|git| git.conversion_state.runbooks_are_in_git)
    }

    /// The default branch, where the project is in Git and says it.
    pub fn default_branch(&self) -> Option<&str> {
        self.git()?.default_branch.as_deref().filter(|branch| !branch.trim().is_empty())
    }
}

/// Reads a page of the branches of a project.
pub async fn branches(
    space: &Space,
    project: &Id<Project>,
    part: Option<&str>,
    window: Window,
) -> Result<Page<Branch>, Error> {
    let Window { skip, take } = window;
    let path = below(space, project, ["git", "branches"]).with_some("searchByName", part);
    let path = path.with("skip", skip).with("take", take);
    space.session().page(&path, window).await
}

/// The branch, tag or commit that is called exactly so: by its short or its whole name, or its
/// hash. A branch comes before a tag of the same name.
pub async fn find(space: &Space, project: &Id<Project>, wanted: &str) -> Result<Reference, Error> {
    let wanted = wanted.trim();
    let short = |prefix: &str| match wanted.strip_prefix(prefix) {
        Some(short) => Some(short),
        None if wanted.starts_with("refs/") => None,
        None => Some(wanted),
    };
    let is_hash = (7..=64).contains(&wanted.len()) && wanted.bytes().all(|b| b.is_ascii_hexdigit());
    let named = |kind: &'static str, prefix: &'static str| async move {
        let Some(short) = short(prefix).filter(|short| !short.is_empty()) else { return Ok(None) };
        let name = format!("{prefix}{short}");
        let read: Option<Branch> = look(space, project, kind, &name).await?;
        // Git knows letter case; Octopus has the last word on what it found.
        let called = |found: &Branch| found.canonical_name.eq_ignore_ascii_case(&name);
        Ok::<_, Error>(read.filter(called).map(|found| Reference(found.canonical_name)))
    };
    let commit = async {
        if !is_hash {
            return Ok(None);
        }
        let read: Option<Commit> = match look(space, project, "commits", wanted).await {
            // A short hash may be none to Octopus.
            Err(Error::Rejected { .. }) => None,
            read => read?,
        };
        let wanted = wanted.to_ascii_lowercase();
        let called = |found: &Commit| found.hash.to_ascii_lowercase().starts_with(&wanted);
        Ok(read.filter(called).map(|found| Reference(found.hash)))
    };
    let (branch, tag, commit) =
        futures::try_join!(named("branches", HEADS), named("tags", TAGS), commit)?;
    match branch.or(tag).or(commit) {
        Some(found) => Ok(found),
        None => Err(missing(space, project, wanted).await),
    }
}

/// The reference that a call means: the one it names, or the default branch. `None` where it
/// names none and there is no default branch.
pub async fn meant(
    space: &Space,
    project: &Project,
    given: Option<&str>,
) -> Result<Option<Reference>, Error> {
    match (given, project.default_branch()) {
        (Some(wanted), _) => find(space, &project.id, wanted).await.map(Some),
        (None, Some(branch)) if branch.starts_with("refs/") => {
            Ok(Some(Reference(branch.to_owned())))
        }
        (None, Some(branch)) => Ok(Some(Reference(format!("{HEADS}{branch}")))),
        (None, None) => Ok(None),
    }
}

/// A path of what a project keeps at a reference, which is one segment of it.
pub fn at<'a>(
    space: &Space,
    project: &Id<Project>,
    reference: &'a Reference,
    segments: impl IntoIterator<Item = &'a str>,
) -> Path {
    below(space, project, [reference.as_str()]).then(segments)
}

/// Reads what a project keeps at a reference.
pub async fn read<T: DeserializeOwned + Send + 'static>(
    space: &Space,
    project: &Id<Project>,
    reference: &Reference,
    what: &str,
) -> Result<T, Error> {
    match space.session().get(&at(space, project, reference, [what])).await {
        Err(Error::NotFound { .. }) => Err(missing(space, project, reference.as_str()).await),
        read => read,
    }
}

fn below<'a>(
    space: &Space,
    project: &'a Id<Project>,
    segments: impl IntoIterator<Item = &'a str>,
) -> Path {
    space.path([Project::COLLECTION, project.as_str()]).then(segments)
}

async fn look<T: DeserializeOwned + Send + 'static>(
    space: &Space,
    project: &Id<Project>,
    kind: &str,
    name: &str,
) -> Result<Option<T>, Error> {
    match space.session().get(&below(space, project, ["git", kind, name])).await {
        Err(Error::NotFound { .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// That there is no such reference, with the names of branches near it.
pub(super) async fn missing(space: &Space, project: &Id<Project>, wanted: &str) -> Error {
    let all = branches(space, project, None, Window { skip: 0, take: BRANCHES }).await;
    let names: Vec<String> =
        all.map(|page| page.items.into_iter().map(|b| b.name).collect()).unwrap_or_default();
    let short = wanted.strip_prefix(HEADS).unwrap_or(wanted);
    let near = nearest(short, names.iter().map(String::as_str), 5);
    Error::NotFound {
        noun: "branch, tag or commit",
        wanted: wanted.chars().take(200).collect(),
        place: None,
        near: near.into_iter().map(str::to_owned).collect(),
    }
}

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

/// A commit. The API references of 2023.4 and 2026.3 name only `Name` and `CanonicalName`, which
/// both contain the hash.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Commit {
    hash: Option<String>,
    canonical_name: Option<String>,
    name: Option<String>,
}

impl Commit {
    /// Returns the hash, if it begins with `part` in any letter case.
    fn hash_with_prefix(self, part: &str) -> Option<GitRef> {
        let part = part.to_ascii_lowercase();
        let texts = [self.hash, self.canonical_name, self.name].into_iter().flatten();
        let mut hashes = texts.filter(|text| text.to_ascii_lowercase().starts_with(&part));
        hashes.next().map(GitRef)
    }
}

impl Branch {
    /// Returns the full reference, if this is the branch or tag `short`. `prefix` is the part of
    /// the full reference before the name. Octopus decides whether the letter case matters.
    fn reference(self, prefix: &str, short: &str) -> Option<GitRef> {
        let canonical = format!("{prefix}{short}");
        if self.canonical_name.eq_ignore_ascii_case(&canonical) {
            return Some(GitRef(self.canonical_name));
        }
        let is_short = self.canonical_name.is_empty() && self.name.eq_ignore_ascii_case(short);
        is_short.then_some(GitRef(canonical))
    }
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

const REFS: &str = "refs/";
const HEADS: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";
/// Number of branches and of tags that are read if a look-up by name finds nothing.
const MAX_LISTED: u32 = 1_000;
/// Maximum number of suggestions in an error.
const MAX_SUGGESTIONS: usize = 5;

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
/// exactly. A branch takes precedence over a tag of the same name, and a tag over a commit.
///
/// # Errors
///
/// Returns [`Error::NotFound`] with similar names. Returns the error of a failed look-up only if no
/// other look-up finds the reference.
pub async fn find(space: &Space, project: &Id<Project>, query: &str) -> Result<GitRef, Error> {
    let query = query.trim();
    let mut failure = match named(space, project, Kind::BRANCHES, query).await {
        Ok(Some(branch)) => return Ok(branch),
        Ok(None) => None,
        Err(error) => Some(error),
    };
    let (tag, commit, other) = futures::join!(
        named(space, project, Kind::TAGS, query),
        commit(space, project, query),
        other_reference(space, project, query),
    );
    for look_up in [tag, commit, other] {
        match look_up {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    if let Some(error) = failure {
        return Err(error);
    }
    let known = KnownRefs::read(space, project).await;
    known.find(query).ok_or_else(|| known.not_found(query))
}

/// Branches or tags.
#[derive(Debug, Clone, Copy)]
struct Kind {
    /// Last segment of the path of the list.
    collection: &'static str,
    /// Part of the full reference before the name.
    prefix: &'static str,
}

impl Kind {
    const BRANCHES: Self = Self { collection: "branches", prefix: HEADS };
    const TAGS: Self = Self { collection: "tags", prefix: TAGS };

    /// Returns the short name in `query`. `None` for a full reference of another kind.
    fn short_name(self, query: &str) -> Option<&str> {
        let short = match query.strip_prefix(self.prefix) {
            Some(short) => short,
            None if query.starts_with(REFS) => return None,
            None => query,
        };
        Some(short).filter(|short| !short.is_empty())
    }
}

/// Looks up a branch or tag by its short name, then by its full name. Clients of Octopus send the
/// short name, and the API references leave the form open.
async fn named(
    space: &Space,
    project: &Id<Project>,
    kind: Kind,
    query: &str,
) -> Result<Option<GitRef>, Error> {
    let Some(short) = kind.short_name(query) else { return Ok(None) };
    let canonical = format!("{}{short}", kind.prefix);
    let mut failure = None;
    for name in [short, canonical.as_str()] {
        match get_optional::<Branch>(space, project, kind.collection, name).await {
            Ok(Some(found)) => {
                if let Some(reference) = found.reference(kind.prefix, short) {
                    return Ok(Some(reference));
                }
            }
            Ok(None) => {}
            Err(error @ (Error::Unavailable { .. } | Error::UnexpectedResponse { .. })) => {
                failure = failure.or(Some(error));
            }
            Err(error) => return Err(error),
        }
    }
    failure.map_or(Ok(None), Err)
}

/// Looks up a full reference that is neither a branch nor a tag, such as `refs/pull/7/merge`.
async fn other_reference(
    space: &Space,
    project: &Id<Project>,
    query: &str,
) -> Result<Option<GitRef>, Error> {
    let is_other = query.starts_with(REFS) && !query.starts_with(HEADS) && !query.starts_with(TAGS);
    if !is_other {
        return Ok(None);
    }
    let read: Option<Branch> = get_optional(space, project, "refs", query).await?;
    Ok(read.and_then(|found| found.reference("", query)))
}

/// Looks up a commit by its hash or the first seven or more digits of its hash.
async fn commit(
    space: &Space,
    project: &Id<Project>,
    query: &str,
) -> Result<Option<GitRef>, Error> {
    let is_hash = (7..=64).contains(&query.len()) && query.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_hash {
        return Ok(None);
    }
    let read: Option<Commit> = get_optional(space, project, "commits", query).await?;
    Ok(read.and_then(|found| found.hash_with_prefix(query)))
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

/// Reads a branch, tag, reference or commit. `None` if Octopus does not know it: servers answer 404,
/// or 400 for a name in a form that they do not accept.
async fn get_optional<T: DeserializeOwned + Send + 'static>(
    space: &Space,
    project: &Id<Project>,
    kind: &str,
    name: &str,
) -> Result<Option<T>, Error> {
    match space.session().get(&project_path(space, project, ["git", kind, name])).await {
        Err(Error::NotFound { .. } | Error::Rejected { .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// The first branches and tags of a project.
struct KnownRefs {
    branches: Vec<Branch>,
    tags: Vec<Branch>,
}

impl KnownRefs {
    /// Reads the lists. A list that cannot be read is empty, because only suggestions depend on it.
    async fn read(space: &Space, project: &Id<Project>) -> Self {
        let window = PageRange { skip: 0, take: MAX_LISTED };
        let list = async |kind: Kind| {
            let path = project_path(space, project, ["git", kind.collection]);
            let path = path.query("skip", 0).query("take", MAX_LISTED);
            let page: Result<Page<Branch>, Error> = space.session().page(&path, window).await;
            page.map(|page| page.items).unwrap_or_default()
        };
        let (branches, tags) = futures::join!(list(Kind::BRANCHES), list(Kind::TAGS));
        Self { branches, tags }
    }

    /// Returns the listed branch or tag with this short or full name.
    fn find(&self, query: &str) -> Option<GitRef> {
        let lists = [(&self.branches, Kind::BRANCHES), (&self.tags, Kind::TAGS)];
        lists.into_iter().find_map(|(listed, kind)| {
            let short = kind.short_name(query)?;
            let exact = listed.iter().find(|one| one.name == short);
            let any_case = || listed.iter().find(|one| one.name.eq_ignore_ascii_case(short));
            exact.or_else(any_case)?.clone().reference(kind.prefix, short)
        })
    }

    /// Creates the error for an unknown reference, with similar names of branches and tags.
    fn not_found(&self, query: &str) -> Error {
        let lists = [(&self.branches, Kind::BRANCHES), (&self.tags, Kind::TAGS)];
        let similar = lists.into_iter().flat_map(|(listed, kind)| {
            let short = kind.short_name(query).unwrap_or_default();
            let names = listed.iter().map(|one| one.name.as_str());
            nearest(short, names.filter(|name| *name != short), MAX_SUGGESTIONS)
        });
        Error::NotFound {
            noun: "branch, tag or commit",
            query: query.chars().take(200).collect(),
            location: None,
            suggestions: similar.take(MAX_SUGGESTIONS).map(str::to_owned).collect(),
        }
    }
}

/// Creates the error for a document that a project does not have at a reference: the reference is
/// unknown, or it exists without the document.
pub(in crate::octopus) async fn ref_not_found(
    space: &Space,
    project: &Id<Project>,
    query: &str,
) -> Error {
    let known = KnownRefs::read(space, project).await;
    match known.find(query) {
        Some(existing) => Error::NotFound {
            noun: "document of the project at the Git reference",
            query: existing.into_string(),
            location: None,
            suggestions: Vec::new(),
        },
        None => known.not_found(query),
    }
}

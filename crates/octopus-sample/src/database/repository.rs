//! Git repository of a version-controlled project: branches, tags and commits.

use super::{Database, Item};
use crate::random::token;

/// Names of the branches: `main`, the default branch, and the others in order.
const BRANCHES: [&str; 12] = [
    "main",
    "bugfix/charging-stops",
    "feature/Electric-Trucks",
    "feature/electric-vans",
    "feature/electric-vans-2",
    "feature/x",
    "feature/x/y",
    "main-backup",
    "maintenance",
    "maintenance/2.5",
    "release/2.5",
    "release/2.6",
];

/// Name of the branch that changes the process and the variables.
const CHANGED: &str = "feature/electric-vans";

/// Branches with other files than `main`.
const DIFFERENT: [&str; 2] = [CHANGED, "release/2.6"];

/// Type of a reference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ReferenceKind {
    Branch,
    Tag,
    Commit,
}

/// An existing reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reference {
    pub(crate) kind: ReferenceKind,
    /// Short name, or hash.
    pub(crate) name: String,
}

impl Reference {
    /// Returns the full name: `refs/heads/main`, `refs/tags/v2.6.0` or the hash.
    pub(crate) fn canonical(&self) -> String {
        match self.kind {
            ReferenceKind::Branch => format!("refs/heads/{}", self.name),
            ReferenceKind::Tag => format!("refs/tags/{}", self.name),
            ReferenceKind::Commit => self.name.clone(),
        }
    }

    /// Returns whether process and variables differ from `main`.
    pub(crate) fn is_changed(&self) -> bool {
        self.content() == CHANGED
    }

    /// Returns the branch that contains the files at this reference.
    pub(crate) fn content(&self) -> &'static str {
        let is_here = |branch: &&str| match self.kind {
            ReferenceKind::Branch => self.name == *branch,
            ReferenceKind::Tag => false,
            ReferenceKind::Commit => self.name == head(branch),
        };
        DIFFERENT.into_iter().find(is_here).unwrap_or("main")
    }

    /// Returns the full name of a branch or tag; `None` for a commit.
    pub(crate) fn full_name(&self) -> Option<String> {
        (self.kind != ReferenceKind::Commit).then(|| self.canonical())
    }

    /// Returns the hash of its commit.
    pub(crate) fn commit(&self, database: &Database, project: &Item) -> String {
        match self.kind {
            ReferenceKind::Commit => self.name.clone(),
            ReferenceKind::Branch => head(&self.name),
            ReferenceKind::Tag => {
                let version = self.name.strip_prefix('v').unwrap_or(&self.name);
                let mut releases = database.releases.of_project(project);
                let release = releases.find(|release| release.text("Version") == version);
                release.and_then(commit_of).unwrap_or_else(|| head("main"))
            }
        }
    }

    /// Returns the name, encoded as one path segment.
    pub(crate) fn segment(&self) -> String {
        self.canonical().replace('/', "%2f")
    }
}

/// Returns all branches of a project.
pub(crate) fn branches() -> impl Iterator<Item = Reference> {
    let updates = (1..=28).map(|number| format!("renovate/update-{number:02}"));
    let names = BRANCHES.into_iter().map(str::to_owned).chain(updates);
    names.map(|name| Reference { kind: ReferenceKind::Branch, name })
}

/// Returns the tags of a project: one per release, newest first.
pub(crate) fn tags<'a>(
    database: &'a Database,
    project: &Item,
) -> impl Iterator<Item = Reference> + use<'a> {
    let releases = database.releases.of_project(project);
    releases.map(|release| Reference {
        kind: ReferenceKind::Tag,
        name: format!("v{}", release.text("Version")),
    })
}

/// Returns the newest commits of a project: those of branches, then those of releases.
pub(crate) fn commits<'a>(
    database: &'a Database,
    project: &Item,
) -> impl Iterator<Item = Reference> + use<'a> {
    let heads = branches().map(|branch| head(&branch.name));
    let of_releases = database.releases.of_project(project).filter_map(commit_of);
    heads.chain(of_releases).map(|name| Reference { kind: ReferenceKind::Commit, name })
}

/// Resolves a full name, branch, tag or complete hash, in this order. Returns `None` for projects
/// that are not in Git.
pub(crate) fn resolve(database: &Database, project: &Item, text: &str) -> Option<Reference> {
    if !project.flag("IsVersionControlled") {
        return None;
    }
    let all = || branches().chain(tags(database, project)).chain(commits(database, project));
    let in_full = |found: &Reference| found.canonical().eq_ignore_ascii_case(text);
    let in_short = |found: &Reference| found.name.eq_ignore_ascii_case(text);
    all().find(in_full).or_else(|| all().find(in_short))
}

/// Returns the commit of a release.
fn commit_of(release: &Item) -> Option<String> {
    let commit = release.body.get("VersionControlReference")?.get("GitCommit")?;
    commit.as_str().map(str::to_owned)
}

/// Returns the hash of the newest commit of a branch.
fn head(branch: &str) -> String {
    token(&format!("refs/heads/{branch}"), 40)
}

//! The Git repository of a version-controlled project: branches, tags and commits, by reference.

use super::{Item, World};
use crate::dice::token;

/// The branches that have a story; `main` is the default and stands first.
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

/// The name of the branch that changes the process and the variables.
const CHANGED: &str = "feature/electric-vans";

/// The branches whose files differ from those of `main`.
const DIFFERENT: [&str; 2] = [CHANGED, "release/2.6"];

/// What a reference may point at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Branch,
    Tag,
    Commit,
}

/// A reference that exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reference {
    pub(crate) kind: Kind,
    /// The short name, or the hash.
    pub(crate) name: String,
}

impl Reference {
    /// The name in full: `refs/heads/main`, `refs/tags/v2.6.0` or the hash.
    pub(crate) fn canonical(&self) -> String {
        match self.kind {
            Kind::Branch => format!("refs/heads/{}", self.name),
            Kind::Tag => format!("refs/tags/{}", self.name),
            Kind::Commit => self.name.clone(),
        }
    }

    /// Whether the process and the variables differ here from those of `main`.
    pub(crate) fn is_changed(&self) -> bool {
        self.content() == CHANGED
    }

    /// The branch whose files are seen here.
    pub(crate) fn content(&self) -> &'static str {
        let is_here = |branch: &&str| match self.kind {
            Kind::Branch => self.name == *branch,
            Kind::Tag => false,
            Kind::Commit => self.name == head(branch),
        };
        DIFFERENT.into_iter().find(is_here).unwrap_or("main")
    }

    /// The name in full of a branch or a tag; a commit has none.
    pub(crate) fn full_name(&self) -> Option<String> {
        (self.kind != Kind::Commit).then(|| self.canonical())
    }

    /// The hash of the commit it points at.
    pub(crate) fn commit(&self, world: &World, project: &Item) -> String {
        match self.kind {
            Kind::Commit => self.name.clone(),
            Kind::Branch => head(&self.name),
            Kind::Tag => {
                let version = self.name.strip_prefix('v').unwrap_or(&self.name);
                let mut releases = world.releases.of_project(project);
                let release = releases.find(|release| release.text("Version") == version);
                release.and_then(commit_of).unwrap_or_else(|| head("main"))
            }
        }
    }

    /// The name as one segment of a link.
    pub(crate) fn segment(&self) -> String {
        self.canonical().replace('/', "%2f")
    }
}

/// All branches of a project.
pub(crate) fn branches() -> impl Iterator<Item = Reference> {
    let updates = (1..=28).map(|number| format!("renovate/update-{number:02}"));
    let names = BRANCHES.into_iter().map(str::to_owned).chain(updates);
    names.map(|name| Reference { kind: Kind::Branch, name })
}

/// The tags of a project: one for each of its releases, newest first.
pub(crate) fn tags<'a>(
    world: &'a World,
    project: &Item,
) -> impl Iterator<Item = Reference> + use<'a> {
    let releases = world.releases.of_project(project);
    releases
        .map(|release| Reference { kind: Kind::Tag, name: format!("v{}", release.text("Version")) })
}

/// The newest commits of a project: those of the branches, then those of the releases.
pub(crate) fn commits<'a>(
    world: &'a World,
    project: &Item,
) -> impl Iterator<Item = Reference> + use<'a> {
    let heads = branches().map(|branch| head(&branch.name));
    let of_releases = world.releases.of_project(project).filter_map(commit_of);
    heads.chain(of_releases).map(|name| Reference { kind: Kind::Commit, name })
}

/// What a text refers to: a name in full, a branch, a tag or a whole hash, in this order. Nothing
/// where the project is not in Git.
pub(crate) fn resolve(world: &World, project: &Item, text: &str) -> Option<Reference> {
    if !project.flag("IsVersionControlled") {
        return None;
    }
    let all = || branches().chain(tags(world, project)).chain(commits(world, project));
    let in_full = |found: &Reference| found.canonical().eq_ignore_ascii_case(text);
    let in_short = |found: &Reference| found.name.eq_ignore_ascii_case(text);
    all().find(in_full).or_else(|| all().find(in_short))
}

/// The commit a release was made from.
fn commit_of(release: &Item) -> Option<String> {
    let commit = release.body.get("VersionControlReference")?.get("GitCommit")?;
    commit.as_str().map(str::to_owned)
}

/// The hash of the newest commit of a branch.
fn head(branch: &str) -> String {
    token(&format!("refs/heads/{branch}"), 40)
}

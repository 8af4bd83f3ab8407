//! Runbooks: automated operations tasks of a project.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    environments::Environment,
    git::{self, GitRef},
    lookup::Collection,
    name_collision::SentReference,
    projects::Project,
    resource::{Id, Named, Resource},
    space::Space,
};
use crate::octopus::client::{
    access_set::{AccessSet, AccessedResource, ResourceKind},
    error::Error,
    page::{Page, PageRange},
    path::ApiPath,
};

/// Fields of a runbook that the tools read. The ID of a runbook in Git is its slug.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Runbook {
    pub id: Id<Runbook>,
    pub name: String,
    pub slug: Option<String>,
    pub description: Option<String>,
    pub project_id: Id<Project>,
    pub runbook_process_id: Option<String>,
    /// Absent without a published snapshot, and for runbooks in Git, which have no snapshots.
    pub published_runbook_snapshot_id: Option<String>,
    /// `Untenanted`, `TenantedOrUntenanted` or `Tenanted`.
    pub multi_tenancy_mode: Option<String>,
    /// `All`, `Specified` or `FromProjectLifecycles`.
    pub environment_scope: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub environments: Vec<Id<Environment>>,
}

impl Resource for Runbook {
    const NOUN: &'static str = "runbook";
    const ID_PREFIX: &'static str = "Runbooks-";
    const COLLECTION: &'static str = "runbooks";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
    fn record_access(&self, access_set: &mut AccessSet) {
        access_set.add(ResourceKind::Project, AccessedResource::with_id(self.project_id.as_str()));
    }
}

impl Named for Runbook {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}

/// Storage location of runbooks.
#[derive(Debug, Clone, Copy)]
pub enum RunbookLocation<'a> {
    /// Database, all projects of the space.
    Space,
    /// Database, this project.
    Project(&'a Id<Project>),
    /// Git repository of this project.
    Git(&'a Id<Project>, &'a GitRef),
}

impl RunbookLocation<'_> {
    pub(in crate::octopus) fn path(self, space: &Space) -> ApiPath {
        match self {
            Self::Space => space.path([Runbook::COLLECTION]),
            Self::Project(project) => {
                space.path([Project::COLLECTION, project.as_str(), Runbook::COLLECTION])
            }
            Self::Git(project, reference) => {
                git::path_at(space, project, reference, [Runbook::COLLECTION])
            }
        }
    }
}

/// Finds a runbook by its name in any letter case, its slug or its ID.
pub async fn find(
    space: &Space,
    location: RunbookLocation<'_>,
    query: &str,
) -> Result<Runbook, Error> {
    let path = location.path(space);
    let collection = Collection::new(space.session(), path, Some(space.name()));
    map_missing_ref(space, location, collection.find(query).await).await
}

/// Finds a runbook that a change references by name, because the API accepts no ID.
///
/// # Errors
///
/// Returns [`Error::NameCollision`] if the name is another runbook's name, slug or ID, and the
/// errors of [`find`].
pub async fn find_for_change(
    space: &Space,
    location: RunbookLocation<'_>,
    query: &str,
) -> Result<Runbook, Error> {
    let runbook = find(space, location, query).await?;
    space.reject_collisions(location.path(space), &[SentReference::by_name(&runbook)]).await?;
    Ok(runbook)
}

/// Reads a page of runbooks, ordered by name.
pub async fn list(
    space: &Space,
    location: RunbookLocation<'_>,
    partial_name: Option<&str>,
    window: PageRange,
) -> Result<Page<Runbook>, Error> {
    let path = location.path(space).query_opt("partialName", partial_name);
    map_missing_ref(space, location, space.list(path, window).await).await
}

/// An environment in which a runbook can run.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScopeEnvironment {
    /// The reference of 2026.3 does not list it.
    pub id: Option<Id<Environment>>,
    pub name: String,
}

impl ScopeEnvironment {
    /// Returns whether this is the environment, by ID or else by name.
    pub fn is(&self, environment: &Environment) -> bool {
        match &self.id {
            Some(id) => *id == environment.id,
            None => self.name.to_lowercase() == environment.name.to_lowercase(),
        }
    }
}

/// Reads the environments in which a runbook can run (`GET .../runbooks/{id}/environments`). `None`
/// if the caller cannot read the list.
pub async fn environments(
    space: &Space,
    location: RunbookLocation<'_>,
    runbook: &Runbook,
) -> Result<Option<Vec<ScopeEnvironment>>, Error> {
    let path = match location {
        RunbookLocation::Git(..) => location.path(space),
        RunbookLocation::Space | RunbookLocation::Project(_) => space.path([Runbook::COLLECTION]),
    };
    let path = path.join([runbook.id.as_str(), Environment::COLLECTION]);
    match space.session().get(&path).await {
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// Replaces the error for a missing list by the error for a missing Git reference.
async fn map_missing_ref<T>(
    space: &Space,
    location: RunbookLocation<'_>,
    read: Result<T, Error>,
) -> Result<T, Error> {
    match (read, location) {
        (Err(Error::NotFound { noun, .. }), RunbookLocation::Git(project, reference))
            if noun != Runbook::NOUN =>
        {
            Err(git::ref_not_found(space, project, reference.as_str()).await)
        }
        (read, _) => read,
    }
}

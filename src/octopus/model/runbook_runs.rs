//! Runbook runs and runbook snapshots.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_json::Value;

use super::{
    environments::Environment,
    git::{self, GitRef},
    lookup::find_in,
    name_collision::SentReference,
    previews::Preview,
    projects::Project,
    resource::{Id, Named, Resource},
    runbooks::Runbook,
    space::Space,
    tasks::Task,
    tenants::Tenant,
};
use crate::octopus::client::{
    error::Error,
    page::{Page, PageRange},
};

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunbookRun {
    pub id: Id<RunbookRun>,
    pub environment_id: Id<Environment>,
    pub tenant_id: Option<Id<Tenant>>,
    pub task_id: Id<Task>,
    pub created: Option<String>,
    pub deployed_by: Option<String>,
    /// `Agent`, `User`, `ServiceAccount`, `System` or `Unknown`. Since Octopus 2026.
    pub deployed_by_actor_type: Option<String>,
}

impl Resource for RunbookRun {
    const NOUN: &'static str = "runbook run";
    const ID_PREFIX: &'static str = "RunbookRuns-";
    const COLLECTION: &'static str = "runbookRuns";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// A snapshot of a runbook. Runbooks in Git have none.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunbookSnapshot {
    pub id: Id<RunbookSnapshot>,
    pub runbook_id: Option<Id<Runbook>>,
    pub name: String,
}

impl Resource for RunbookSnapshot {
    const NOUN: &'static str = "runbook snapshot";
    const ID_PREFIX: &'static str = "RunbookSnapshots-";
    const COLLECTION: &'static str = "runbookSnapshots";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for RunbookSnapshot {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        None
    }
}

/// Number of runs or snapshots that are read.
const MAX_NEWEST: u32 = 100;
/// The range of the newest items.
const NEWEST_RANGE: PageRange = PageRange { skip: 0, take: MAX_NEWEST };

/// Reads the newest runs of a runbook in these environments. The flag is true if these are all
/// runs.
pub async fn newest(
    space: &Space,
    project: &Project,
    runbook: &Runbook,
    environments: &[&Id<Environment>],
) -> Result<(Vec<RunbookRun>, bool), Error> {
    let path = space
        .path([RunbookRun::COLLECTION])
        .query("projects", &project.id)
        .query("runbooks", &runbook.id)
        .query_list("environments", environments)
        .query("take", MAX_NEWEST);
    match space.session().page::<RunbookRun>(&path, NEWEST_RANGE).await {
        Ok(page) => {
            let all = page.unreadable.is_empty() && page.total_results as usize <= page.items.len();
            Ok((page.items, all))
        }
        // Some versions lack the filters for runbooks in Git.
        Err(Error::NotFound { .. }) => Ok((Vec::new(), false)),
        Err(error) => Err(error),
    }
}

/// The version of a runbook to run.
#[derive(Debug)]
pub enum RunbookVersion {
    Snapshot(RunbookSnapshot),
    Git(GitRef),
}

impl RunbookVersion {
    /// Returns the Git reference, if the runbook is in Git.
    pub fn git_ref(&self) -> Option<&GitRef> {
        match self {
            Self::Git(reference) => Some(reference),
            Self::Snapshot(_) => None,
        }
    }
}

/// Reads the preview of a run of this version in an environment, for a tenant if given. `None` if
/// the instance has none, because not every version previews runbooks in Git.
pub async fn preview(
    space: &Space,
    project: &Project,
    runbook: &Runbook,
    version: &RunbookVersion,
    environment: &Id<Environment>,
    tenant: Option<&Id<Tenant>>,
) -> Result<Option<Preview>, Error> {
    let path = match version {
        RunbookVersion::Snapshot(snapshot) => {
            space.path([RunbookSnapshot::COLLECTION, snapshot.id.as_str()])
        }
        RunbookVersion::Git(reference) => {
            let runbook = [Runbook::COLLECTION, runbook.id.as_str()];
            git::path_at(space, &project.id, reference, runbook)
        }
    };
    let mut path = path.join([RunbookRun::COLLECTION, "preview", environment.as_str()]);
    if let Some(tenant) = tenant {
        path = path.join([tenant.as_str()]);
    }
    match space.session().get(&path).await {
        Err(Error::NotFound { .. }) if version.git_ref().is_some() => Ok(None),
        Err(Error::NotFound { .. }) => Err(Error::NotFound {
            noun: "preview of a runbook run",
            query: match tenant {
                None => format!("{} in {environment}", runbook.id),
                Some(tenant) => format!("{} in {environment} for {tenant}", runbook.id),
            },
            location: Some(space.name().to_owned()),
            suggestions: Vec::new(),
        }),
        read => read.map(Some),
    }
}

/// Reads the current steps of a runbook in Git, to detect changes of a moving branch. `None` for
/// runbooks with snapshots, which do not change.
pub async fn process(
    space: &Space,
    project: &Project,
    runbook: &Runbook,
    reference: Option<&GitRef>,
) -> Result<Option<Value>, Error> {
    let Some(reference) = reference else { return Ok(None) };
    let path =
        git::path_at(space, &project.id, reference, ["runbookProcesses", runbook.id.as_str()]);
    match space.session().get(&path).await {
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// Finds the snapshot of a runbook by ID or name, for a run by its ID.
///
/// # Errors
///
/// Returns [`Error::NameCollision`] if another of the newest snapshots has this ID as its name;
/// [`Error::NotFound`] if the snapshot belongs to another runbook.
pub async fn snapshot(
    space: &Space,
    runbook: &Runbook,
    query: &str,
) -> Result<RunbookSnapshot, Error> {
    let path = space.path([Runbook::COLLECTION, runbook.id.as_str(), RunbookSnapshot::COLLECTION]);
    let path = path.query("take", MAX_NEWEST);
    let page: Page<RunbookSnapshot> = space.session().page(&path, NEWEST_RANGE).await?;
    let page = page.complete(RunbookSnapshot::NOUN)?;
    let found = match Id::<RunbookSnapshot>::parse(query) {
        Ok(id) => {
            let found: RunbookSnapshot = space.get(&id).await?;
            if found.runbook_id.as_ref().is_some_and(|of| *of != runbook.id) {
                return Err(space.id_not_found(&id));
            }
            found
        }
        Err(_) => match find_in(query, &page.items)? {
            Some(found) => found.clone(),
            None => return Err(space.name_not_found(query, page.items.iter())),
        },
    };
    SentReference::by_id(&found).ensure_unique_in(&page.items)?;
    Ok(found)
}

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

/// Reads the preview of a run in an environment. `None` if the instance has none, because not every
/// version previews runbooks in Git.
pub async fn preview(
    space: &Space,
    project: &Project,
    runbook: &Runbook,
    reference: Option<&GitRef>,
    environment: &Id<Environment>,
) -> Result<Option<Preview>, Error> {
    let (id, rest) = (runbook.id.as_str(), ["runbookRuns", "preview", environment.as_str()]);
    let path = match reference {
        None => space.path([Runbook::COLLECTION, id]).join(rest),
        Some(reference) => {
            git::path_at(space, &project.id, reference, [Runbook::COLLECTION, id]).join(rest)
        }
    };
    match space.session().get(&path).await {
        Err(Error::NotFound { .. }) if reference.is_some() => Ok(None),
        Err(Error::NotFound { .. }) => Err(Error::NotFound {
            noun: "preview of a runbook run",
            query: format!("{id} in {environment}"),
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

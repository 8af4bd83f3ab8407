//! Runbook runs and runbook snapshots.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_json::Value;

use super::{
    Error, Id, Named, Page, Resource, Space, Window,
    environments::Environment,
    find::choose,
    git::{self, Reference},
    previews::Preview,
    projects::Project,
    rival::Meant,
    runbooks::Runbook,
    tasks::Task,
    tenants::Tenant,
};

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunbookRun {
    pub id: Id<RunbookRun>,
    pub environment_id: Id<Environment>,
    pub tenant_id: Option<Id<Tenant>>,
    pub task_id: Id<Task>,
    pub created: Option<String>,
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
const NEWEST: u32 = 100;
/// The range of the newest items.
const FIRST: Window = Window { skip: 0, take: NEWEST };

/// Reads the newest runs of a runbook in these environments. The flag says whether these are all
/// runs.
pub async fn newest(
    space: &Space,
    project: &Project,
    runbook: &Runbook,
    environments: &[&Id<Environment>],
) -> Result<(Vec<RunbookRun>, bool), Error> {
    let path = space
        .path([RunbookRun::COLLECTION])
        .with("projects", &project.id)
        .with("runbooks", &runbook.id)
        .with_list("environments", environments)
        .with("take", NEWEST);
    match space.session().page::<RunbookRun>(&path, FIRST).await {
        Ok(page) => {
            let all = page.total_results as usize <= page.items.len();
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
    reference: Option<&Reference>,
    environment: &Id<Environment>,
) -> Result<Option<Preview>, Error> {
    let (id, rest) = (runbook.id.as_str(), ["runbookRuns", "preview", environment.as_str()]);
    let path = match reference {
        None => space.path([Runbook::COLLECTION, id]).then(rest),
        Some(reference) => {
            git::at(space, &project.id, reference, [Runbook::COLLECTION, id]).then(rest)
        }
    };
    match space.session().get(&path).await {
        Err(Error::NotFound { .. }) if reference.is_some() => Ok(None),
        Err(Error::NotFound { .. }) => Err(Error::NotFound {
            noun: "preview of a runbook run",
            wanted: format!("{id} in {environment}"),
            place: Some(space.name().to_owned()),
            near: Vec::new(),
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
    reference: Option<&Reference>,
) -> Result<Option<Value>, Error> {
    let Some(reference) = reference else { return Ok(None) };
    let path = git::at(space, &project.id, reference, ["runbookProcesses", runbook.id.as_str()]);
    match space.session().get(&path).await {
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// Finds the snapshot of a runbook by ID or name, for a run by its ID.
///
/// # Errors
///
/// [`Error::NameCollision`] if another of the newest snapshots has this ID as its name;
/// [`Error::NotFound`] if the snapshot belongs to another runbook.
pub async fn snapshot(
    space: &Space,
    runbook: &Runbook,
    wanted: &str,
) -> Result<RunbookSnapshot, Error> {
    let path = space.path([Runbook::COLLECTION, runbook.id.as_str(), RunbookSnapshot::COLLECTION]);
    let path = path.with("take", NEWEST);
    let page: Page<RunbookSnapshot> = space.session().page(&path, FIRST).await?;
    let found = match Id::<RunbookSnapshot>::parse(wanted) {
        Ok(id) => {
            let found: RunbookSnapshot = space.get(&id).await?;
            if found.runbook_id.as_ref().is_some_and(|of| *of != runbook.id) {
                return Err(space.not_found(&id));
            }
            found
        }
        Err(_) => match choose(wanted, &page.items)? {
            Some(found) => found.clone(),
            None => return Err(space.no_such(wanted, page.items.iter())),
        },
    };
    Meant::by_id(&found).alone_in(&page.items)?;
    Ok(found)
}

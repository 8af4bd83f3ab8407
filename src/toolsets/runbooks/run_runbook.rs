//! `run_runbook`.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::last_runs::LastRuns;
use crate::{
    octopus::{
        Named, OctopusVersion, Order, Reply, Space,
        git::{self, Reference},
        projects::Project,
        runbook_runs::{self, RunbookSnapshot},
        runbooks::{self, Place, Runbook},
    },
    tool::{Change, Context, Error, Plan, ProjectArg, Proposal, SpaceArg, Tags, Words, uri},
    toolsets::executions::{self, Manner, Mode, Prompts, Targets, Tenancy, Times},
};

/// Run a runbook in environments, with or without tenants. Returns the server tasks;
/// get_task_details shows their progress.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RunRunbook {
    space: Option<SpaceArg>,
    project_name: ProjectArg,
    /// Runbook name, slug or ID.
    runbook_name: String,
    /// Environment names, slugs or IDs.
    environment_names: Words,
    /// Tenant names, slugs or IDs.
    tenants: Option<Words>,
    /// Tags of further tenants, e.g. "Region/EMEA".
    tenant_tags: Option<Tags>,
    /// Snapshot name or ID (default: the published one).
    runbook_snapshot_id: Option<String>,
    /// Branch, tag or commit; required for a runbook in Git.
    git_ref: Option<String>,
    /// Values of prompted variables by name.
    #[serde(default)]
    prompted_variable_values: BTreeMap<String, String>,
    /// Start time with zone, e.g. "2026-11-02T22:00:00+01:00" (default: now).
    run_at: Option<String>,
    /// Latest start time with zone, in the same format.
    no_run_after: Option<String>,
    /// Wait for a person when a step fails (default: set in Octopus).
    use_guided_failure: Option<bool>,
    /// Download packages again.
    force_package_download: Option<bool>,
    /// Deployment targets to use (default: all).
    specific_machine_names: Option<Words>,
    /// Deployment targets to exclude.
    excluded_machine_names: Option<Words>,
    /// Names of steps to skip.
    skip_step_names: Option<Words>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunStarted {
    success: bool,
    runs_created: usize,
    /// Git reference of the runbook.
    git_ref: Option<String>,
    runbook_run_tasks: Vec<RunTask>,
    message: String,
    help_text: Option<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RunTask {
    task_id: String,
    runbook_run_id: String,
    resource_uri: Option<String>,
    url: Option<String>,
}

/// The response of Octopus. Old versions of Octopus use camel case keys.
#[derive(Deserialize)]
struct Created {
    #[serde(alias = "RunbookRunServerTasks", rename = "runbookRunServerTasks")]
    tasks: Vec<CreatedTask>,
}

#[derive(Deserialize)]
struct CreatedTask {
    #[serde(alias = "RunbookRunId", rename = "runbookRunId")]
    run: String,
    #[serde(alias = "ServerTaskId", rename = "serverTaskId")]
    task: String,
}

/// The version of the runbook to run.
enum Version {
    Snapshot(RunbookSnapshot),
    Git(Reference),
}

impl Change for RunRunbook {
    const NAME: &'static str = "run_runbook";
    const TITLE: &'static str = "Run a runbook";
    const SINCE: OctopusVersion = executions::SINCE;

    type Output = RunStarted;

    async fn plan(&self, cx: &Context) -> Result<Plan<RunStarted>, Error> {
        let (run_at, no_run_after) = (self.run_at.as_deref(), self.no_run_after.as_deref());
        let times = Times::read(run_at, no_run_after, Timestamp::now())?;
        if self.git_ref.is_some() && self.runbook_snapshot_id.is_some() {
            return Err(Error::Invalid(
                "gitRef and runbookSnapshotId exclude each other: runbooks in Git have no \
                 snapshots"
                    .to_owned(),
            ));
        }
        let space = executions::space(cx, self.space.as_deref()).await?;
        let project: Project = space.find_for_change(&self.project_name).await?;
        if project.is_disabled {
            return Err(Error::Invalid(format!("the project {} is disabled", project.name)));
        }
        let reference = self.reference(&space, &project).await?;
        let place = match &reference {
            None => Place::Project(&project.id),
            Some(reference) => Place::Git(&project.id, reference),
        };
        let runbook = runbooks::find_for_change(&space, place, &self.runbook_name).await?;
        executions::ensure_plain_name(&runbook)?;
        let mode = Mode::of(&runbook.name, runbook.multi_tenancy_mode.as_deref());
        let (tenants, tags) = (Words::of(&self.tenants), Tags::of(&self.tenant_tags));
        let (version, targets, only_on, not_on) = futures::try_join!(
            self.version(&space, &runbook, reference),
            Targets::find(&space, &project, mode, &self.environment_names.0, tenants, tags),
            Manner::machines(&space, Words::of(&self.specific_machine_names)),
            Manner::machines(&space, Words::of(&self.excluded_machine_names)),
        )?;
        let in_git = match &version {
            Version::Git(reference) => Some(reference),
            Version::Snapshot(_) => None,
        };
        let previews = targets.environments.iter().map(|environment| {
            runbook_runs::preview(&space, &project, &runbook, in_git, &environment.id)
        });
        let previews = stream::iter(previews.collect::<Vec<_>>()).buffered(4);
        let (last, previews, process) = futures::try_join!(
            LastRuns::of(&space, &project, &runbook, &targets),
            async { Ok(previews.try_collect::<Vec<_>>().await?) },
            async { Ok(runbook_runs::process(&space, &project, &runbook, in_git).await?) },
        )?;
        let previews: Option<Vec<_>> = previews.into_iter().collect();
        let given = &self.prompted_variable_values;
        let prompts = Prompts::of("promptedVariableValues", previews.as_deref(), given)?;
        let skipped = Words::of(&self.skip_step_names).to_vec();
        let (use_guided_failure, force) = (self.use_guided_failure, self.force_package_download);
        let mut manner = Manner {
            times,
            use_guided_failure,
            force_package_download: force,
            only_on,
            not_on,
            skipped,
        };
        manner.check_steps(previews.as_deref())?;
        let order = order(&space, &project, &runbook, &version, &targets, &manner, &prompts);
        let tenants_text = targets.tenancy.whom();
        let names = targets.names();
        let question =
            format!("Run {} of {} in {names}{tenants_text}?", runbook.name, project.label());
        let touches = executions::touches(&space, &project, Some(&targets));
        let proposal = Proposal::new("runbook run", &question, order)
            .touching(touches)
            .fact("Space", space.name())
            .fact("Project", project.label())
            .fact("Runbook", &runbook.name);
        let proposal = match &version {
            Version::Snapshot(snapshot) => proposal.fact("Snapshot", snapshot.label()),
            Version::Git(reference) => proposal.fact("Git reference", reference.as_str()),
        };
        let proposal = prompts.show(manner.show(last.show(targets.show(proposal))));
        Ok(Plan::Change(proposal.state(json!([last.state(), process]))))
    }

    async fn report(self, reply: Reply, cx: &Context) -> Result<RunStarted, Error> {
        let created: Created = reply.json(Self::NAME)?;
        // The change was made; values that cannot be looked up are left out.
        let space = cx.space(self.space.as_deref()).await.ok();
        let tasks: Vec<RunTask> = created
            .tasks
            .into_iter()
            .map(|CreatedTask { run, task }| RunTask {
                resource_uri: space
                    .as_ref()
                    .filter(|_| cx.policy.is_on("tasks"))
                    .map(|space| uri(["spaces", space.name(), "tasks", &task])),
                url: space.as_ref().map(|space| space.portal().task_page(&task)),
                task_id: task,
                runbook_run_id: run,
            })
            .collect();
        Ok(RunStarted {
            success: true,
            runs_created: tasks.len(),
            git_ref: self.git_ref,
            message: executions::message("run", tasks.len(), self.run_at.as_deref()),
            runbook_run_tasks: tasks,
            help_text: executions::help(cx),
        })
    }
}

impl RunRunbook {
    /// Returns the Git reference of the runbook, which a call must give for a runbook in Git.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if `gitRef` is missing, or given for runbooks in the database.
    async fn reference(
        &self,
        space: &Space,
        project: &Project,
    ) -> Result<Option<Reference>, Error> {
        let name = &project.name;
        match (project.has_runbooks_in_git(), &self.git_ref) {
            (false, None) => Ok(None),
            (false, Some(_)) => Err(Error::Invalid(format!(
                "the runbooks of {name} are stored in the database of Octopus, not in Git; leave out \
                 gitRef"
            ))),
            (true, None) => Err(Error::Invalid(format!(
                "the runbooks of {name} are in Git; give the branch, tag or commit to run in \
                 gitRef{}",
                project.default_branch().map_or_else(String::new, |branch| {
                    format!(" (its default branch is {branch})")
                })
            ))),
            (true, Some(wanted)) => Ok(Some(git::find(space, &project.id, wanted).await?)),
        }
    }

    async fn version(
        &self,
        space: &Space,
        runbook: &Runbook,
        reference: Option<Reference>,
    ) -> Result<Version, Error> {
        if let Some(reference) = reference {
            return Ok(Version::Git(reference));
        }
        let wanted = self.runbook_snapshot_id.as_ref();
        let Some(wanted) = wanted.or(runbook.published_runbook_snapshot_id.as_ref()) else {
            return Err(Error::Invalid(format!(
                "{} has no published snapshot; publish a snapshot in the portal, or give \
                 runbookSnapshotId",
                runbook.name
            )));
        };
        Ok(Version::Snapshot(runbook_runs::snapshot(space, runbook, wanted).await?))
    }
}

fn order(
    space: &Space,
    project: &Project,
    runbook: &Runbook,
    version: &Version,
    targets: &Targets,
    manner: &Manner,
    prompts: &Prompts,
) -> Order {
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| {
        body.insert(key.to_owned(), value);
    };
    put("SpaceId", json!(space.id()));
    put("SpaceIdOrName", json!(space.id()));
    put("ProjectName", json!(project.id));
    put("RunbookName", json!(runbook.name));
    put("EnvironmentNames", json!(targets.environment_ids()));
    if let tenancy @ Tenancy::Tenanted { .. } = &targets.tenancy {
        put("Tenants", json!(tenancy.ids()));
    }
    if let Some(values) = prompts.values() {
        put("Variables", values);
    }
    let path = match version {
        Version::Snapshot(snapshot) => {
            put("Snapshot", json!(snapshot.id));
            space.path(["runbook-runs", "create", "v1"])
        }
        Version::Git(reference) => {
            put("GitRef", json!(reference.as_str()));
            space.path(["runbook-runs", "git", "create", "v1"])
        }
    };
    manner.write(&mut body);
    Order::post(path, Value::Object(body))
}

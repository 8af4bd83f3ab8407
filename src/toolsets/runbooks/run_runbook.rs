//! `run_runbook`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::last_runs::LastRuns;
use crate::{
    approval::ChangePreview,
    octopus::{
        AccessedResource, ChangeRequest, ChangeResponse, Named, OctopusVersion, ResourceKind,
        Space,
        environments::Environment,
        git::{self, GitRef},
        projects::Project,
        runbook_runs::{self, RunbookVersion},
        runbooks::{self, Runbook, RunbookLocation},
    },
    tool::{Context, Error, Plan, ProjectArg, SpaceArg, StringList, Tags, WriteTool, resource_uri},
    toolsets::executions::{
        self, DeploymentFreezes, ExecutionOptions, PromptedVariables, Schedule, TargetPreviews,
        Targets, Tenancy, TenantedMode,
    },
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
    environment_names: StringList,
    /// Tenant names, slugs or IDs.
    tenants: Option<StringList>,
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
    specific_machine_names: Option<StringList>,
    /// Deployment targets to exclude.
    excluded_machine_names: Option<StringList>,
    /// Names of steps to skip.
    skip_step_names: Option<StringList>,
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

/// Maximum number of environments in an error message.
const MAX_SCOPE_NAMES: usize = 20;

impl WriteTool for RunRunbook {
    const NAME: &'static str = "run_runbook";
    const TITLE: &'static str = "Run a runbook";
    const SINCE: OctopusVersion = executions::SINCE;

    type Output = RunStarted;

    async fn plan(&self, cx: &Context) -> Result<Plan<RunStarted>, Error> {
        let (run_at, no_run_after) = (self.run_at.as_deref(), self.no_run_after.as_deref());
        let times = Schedule::read(run_at, no_run_after, Timestamp::now())?;
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
            None => RunbookLocation::Project(&project.id),
            Some(reference) => RunbookLocation::Git(&project.id, reference),
        };
        let runbook = runbooks::find_for_change(&space, place, &self.runbook_name).await?;
        executions::ensure_plain_name(&runbook)?;
        let mode = TenantedMode::new(&runbook.name, runbook.multi_tenancy_mode.as_deref());
        let (tenants, tags) =
            (StringList::as_slice(&self.tenants), Tags::as_slice(&self.tenant_tags));
        let (version, targets, only_on, not_on) = futures::try_join!(
            self.version(&space, &runbook, reference.clone()),
            Targets::find(&space, &project, mode, &self.environment_names.0, tenants, tags),
            ExecutionOptions::target_names(
                &space,
                StringList::as_slice(&self.specific_machine_names)
            ),
            ExecutionOptions::target_names(
                &space,
                StringList::as_slice(&self.excluded_machine_names)
            ),
        )?;
        let scope_warning = ensure_environments_in_scope(&space, place, &runbook, &targets).await?;
        let (freezes, last, previews, process) = futures::try_join!(
            DeploymentFreezes::read(&space, &project, &targets, times),
            LastRuns::read(&space, &project, &runbook, &targets),
            TargetPreviews::read(&targets, |environment, tenant| {
                let tenant = tenant.map(|tenant| &tenant.id);
                runbook_runs::preview(&space, &project, &runbook, &version, &environment.id, tenant)
            }),
            async {
                let in_git = version.git_ref();
                Ok(runbook_runs::process(&space, &project, &runbook, in_git).await?)
            },
        )?;
        let given = &self.prompted_variable_values;
        let prompts = PromptedVariables::new("promptedVariableValues", &previews, given)?;
        let skipped = StringList::as_slice(&self.skip_step_names).to_vec();
        let (use_guided_failure, force) = (self.use_guided_failure, self.force_package_download);
        let mut options = ExecutionOptions {
            schedule: times,
            use_guided_failure,
            force_package_download: force,
            included_targets: only_on,
            excluded_targets: not_on,
            skipped_steps: skipped,
            freeze_override: None,
        };
        options.check_steps(&previews)?;
        let change_request =
            change_request(&space, &project, &runbook, &version, &targets, &options, &prompts);
        let tenants_text = targets.tenancy.description();
        let names = targets.names();
        let title =
            format!("Run {} of {} in {names}{tenants_text}?", runbook.name, project.label());
        let access_set = executions::access_set(&space, &project, Some(&targets));
        let preview = ChangePreview::new("runbook run", &title, change_request)
            .with_access_set(access_set)
            .line("Space", space.name())
            .line("Project", project.label())
            .line("Runbook", &runbook.name);
        let preview = match &version {
            RunbookVersion::Snapshot(snapshot) => preview.line("Snapshot", snapshot.label()),
            RunbookVersion::Git(reference) => preview.line("Git reference", reference.as_str()),
        };
        let preview = last.add_to_preview(targets.add_to_preview(preview));
        let preview = preview.line_if("Environment scope", scope_warning);
        let preview = prompts.add_to_preview(options.add_to_preview(preview));
        let preview = previews.add_to_preview(preview, &options);
        let preview = freezes.add_to_run_preview(preview);
        Ok(Plan::Change(preview.required_state(json!([last.state(), process]))))
    }

    async fn report(self, reply: ChangeResponse, cx: &Context) -> Result<RunStarted, Error> {
        let created: Created = reply.json(Self::NAME)?;
        // The change was made, so values that cannot be looked up are omitted.
        let space = cx.resolve_space(self.space.as_deref()).await.ok();
        let tasks: Vec<RunTask> = created
            .tasks
            .into_iter()
            .map(|CreatedTask { run, task }| RunTask {
                resource_uri: space
                    .as_ref()
                    .filter(|_| cx.access.is_enabled("tasks"))
                    .map(|space| resource_uri(["spaces", space.name(), "tasks", &task])),
                url: space.as_ref().map(|space| space.portal().task_by_text_id(&task)),
                task_id: task,
                runbook_run_id: run,
            })
            .collect();
        Ok(RunStarted {
            success: !tasks.is_empty(),
            runs_created: tasks.len(),
            git_ref: self.git_ref,
            message: executions::message("run", tasks.len(), self.run_at.as_deref()),
            runbook_run_tasks: tasks,
            help_text: executions::help_text(cx),
        })
    }
}

impl RunRunbook {
    /// Returns the Git reference of the runbook, which a call must give for a runbook in Git.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if `gitRef` is missing, or given for runbooks in the database.
    async fn reference(&self, space: &Space, project: &Project) -> Result<Option<GitRef>, Error> {
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
            (true, Some(requested)) => Ok(Some(git::find(space, &project.id, requested).await?)),
        }
    }

    async fn version(
        &self,
        space: &Space,
        runbook: &Runbook,
        reference: Option<GitRef>,
    ) -> Result<RunbookVersion, Error> {
        if let Some(reference) = reference {
            return Ok(RunbookVersion::Git(reference));
        }
        let requested = self.runbook_snapshot_id.as_ref();
        let Some(requested) = requested.or(runbook.published_runbook_snapshot_id.as_ref()) else {
            return Err(Error::Invalid(format!(
                "{} has no published snapshot; publish a snapshot in the portal, or give \
                 runbookSnapshotId",
                runbook.name
            )));
        };
        Ok(RunbookVersion::Snapshot(runbook_runs::snapshot(space, runbook, requested).await?))
    }
}

/// Checks that the runbook can run in the environments, by its environment scope. Returns a warning
/// if the caller cannot read the scope.
///
/// # Errors
///
/// [`Error::Argument`] for `environmentNames` with the allowed environments.
async fn ensure_environments_in_scope(
    space: &Space,
    location: RunbookLocation<'_>,
    runbook: &Runbook,
    targets: &Targets,
) -> Result<Option<&'static str>, Error> {
    let is_specified = match runbook.environment_scope.as_deref() {
        Some("Specified") => true,
        Some("FromProjectLifecycles") => false,
        _ => return Ok(None),
    };
    let is_listed =
        |environment: &Environment| is_specified && runbook.environments.contains(&environment.id);
    if targets.environments.iter().all(is_listed) {
        return Ok(None);
    }
    let allowed = match runbooks::environments(space, location, runbook).await? {
        Some(allowed) => allowed,
        None if is_specified => Vec::new(),
        None => return Ok(Some("not checked: the environments of the runbook are not visible")),
    };
    let is_allowed = |environment: &Environment| {
        is_listed(environment) || allowed.iter().any(|one| one.is(environment))
    };
    let mut outside = targets.environments.iter().filter(|environment| !is_allowed(environment));
    let Some(outside) = outside.next() else { return Ok(None) };
    // The error contains the names of these environments.
    space.session().access_recorder().record(|access_set| {
        for one in &allowed {
            if let Some(id) = &one.id {
                let name = Some(one.name.clone());
                let entry = AccessedResource { name, ..AccessedResource::with_id(id.as_str()) };
                access_set.add(ResourceKind::Environment, entry);
            }
        }
    });
    let names: Vec<&str> =
        allowed.iter().take(MAX_SCOPE_NAMES).map(|one| one.name.as_str()).collect();
    let names = match (names.as_slice(), allowed.len().saturating_sub(MAX_SCOPE_NAMES)) {
        ([], _) => "its environments are not visible".to_owned(),
        (names, 0) => format!("its environments are {}", names.join(", ")),
        (names, more) => format!("its environments are {} and {more} more", names.join(", ")),
    };
    Err(Error::Argument {
        field: "environmentNames".to_owned(),
        reason: format!("{} cannot run in {}; {names}", runbook.name, outside.label()),
    })
}

fn change_request(
    space: &Space,
    project: &Project,
    runbook: &Runbook,
    version: &RunbookVersion,
    targets: &Targets,
    options: &ExecutionOptions,
    prompts: &PromptedVariables,
) -> ChangeRequest {
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
        RunbookVersion::Snapshot(snapshot) => {
            put("Snapshot", json!(snapshot.id));
            space.path(["runbook-runs", "create", "v1"])
        }
        RunbookVersion::Git(reference) => {
            put("GitRef", json!(reference.as_str()));
            space.path(["runbook-runs", "git", "create", "v1"])
        }
    };
    options.write_to(&mut body);
    ChangeRequest::post(path, Value::Object(body))
}

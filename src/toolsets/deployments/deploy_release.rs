//! `deploy_release`.

use std::collections::BTreeMap;

use futures::TryFutureExt;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{current_deployments::CurrentDeployments, promotions::LifecycleCheck};
use crate::{
    approval::ChangePreview,
    octopus::{
        ChangeRequest, ChangeResponse, Named, OctopusVersion, Space, previews,
        projects::Project,
        releases::{self, Release},
    },
    tool::{Context, Error, Plan, ProjectArg, SpaceArg, StringList, Tags, WriteTool, resource_uri},
    toolsets::executions::{
        self, DeploymentFreezes, ExecutionOptions, PromptedVariables, Schedule, TargetPreviews,
        Targets, Tenancy, TenantedMode,
    },
};

/// Deploy a release of a project to environments, or to tenants in one environment. Returns the
/// server tasks; get_task_details shows their progress.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DeployRelease {
    space: Option<SpaceArg>,
    project_name: ProjectArg,
    /// Version of the release, e.g. "1.2.3".
    release_version: String,
    /// Environment names, slugs or IDs; only one with tenants.
    environment_names: StringList,
    /// Tenant names, slugs or IDs.
    tenants: Option<StringList>,
    /// Tags of further tenants, e.g. "Region/EMEA".
    tenant_tags: Option<Tags>,
    /// Values of prompted variables by name.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// Start time with zone, e.g. "2026-11-02T22:00:00+01:00" (default: now).
    run_at: Option<String>,
    /// Latest start time with zone, in the same format.
    no_run_after: Option<String>,
    /// Wait for a person when a step fails (default: set in Octopus).
    use_guided_failure: Option<bool>,
    /// Deployment targets to use (default: all).
    specific_machine_names: Option<StringList>,
    /// Deployment targets to exclude.
    excluded_machine_names: Option<StringList>,
    /// Names of steps to skip, e.g. "Smoke test" (default none).
    skip_step_names: Option<StringList>,
    /// Download packages again.
    force_package_download: Option<bool>,
    /// Deploy packages again that are already deployed.
    force_package_redeployment: Option<bool>,
    /// Update the variable snapshot of the release first.
    update_variable_snapshot: Option<bool>,
    /// Names of deployment freezes to override, e.g. "Peak season".
    deployment_freeze_names: Option<StringList>,
    /// Reason for the override, required with freezes.
    deployment_freeze_override_reason: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deployed {
    success: bool,
    /// tenanted or untenanted.
    deployment_type: &'static str,
    deployments_created: usize,
    deployment_tasks: Vec<DeploymentTask>,
    message: String,
    help_text: Option<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DeploymentTask {
    task_id: String,
    deployment_id: String,
    task_resource_uri: Option<String>,
    url: Option<String>,
}

/// The response of Octopus. Old versions of Octopus use camel case keys.
#[derive(Deserialize)]
struct Created {
    #[serde(alias = "DeploymentServerTasks", rename = "deploymentServerTasks")]
    tasks: Vec<CreatedTask>,
}

#[derive(Deserialize)]
struct CreatedTask {
    #[serde(alias = "DeploymentId", rename = "deploymentId")]
    deployment: String,
    #[serde(alias = "ServerTaskId", rename = "serverTaskId")]
    task: String,
}

impl WriteTool for DeployRelease {
    const NAME: &'static str = "deploy_release";
    const TITLE: &'static str = "Deploy a release";
    const SINCE: OctopusVersion = executions::SINCE;

    type Output = Deployed;

    async fn plan(&self, cx: &Context) -> Result<Plan<Deployed>, Error> {
        let times =
            Schedule::read(self.run_at.as_deref(), self.no_run_after.as_deref(), Timestamp::now())?;
        let (tenants, tags) =
            (StringList::as_slice(&self.tenants), Tags::as_slice(&self.tenant_tags));
        let tenanted = !tenants.is_empty() || !tags.is_empty();
        if tenanted && self.environment_names.0.len() > 1 {
            return Err(Error::Invalid(
                "a deployment to tenants takes one environment; call once per environment"
                    .to_owned(),
            ));
        }
        let overridden = StringList::as_slice(&self.deployment_freeze_names);
        let override_reason = self.deployment_freeze_override_reason.as_deref();
        if overridden.is_empty() != override_reason.is_none_or(|reason| reason.trim().is_empty()) {
            return Err(Error::Invalid(
                "deploymentFreezeNames and deploymentFreezeOverrideReason require each other"
                    .to_owned(),
            ));
        }
        executions::ensure_freeze_names(overridden)?;
        let space = executions::space(cx, self.space.as_deref()).await?;
        let project: Project = space.find_for_change(&self.project_name).await?;
        if project.is_disabled {
            return Err(Error::Invalid(format!("the project {} is disabled", project.name)));
        }
        let mode = TenantedMode::new(&project.name, project.tenanted_deployment_mode.as_deref());
        let (release, targets, only_on, not_on) = futures::try_join!(
            async { Ok(releases::find_by_version(&space, &project, &self.release_version).await?) },
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
        executions::ensure_plain_version(&release)?;
        let (lifecycle, freezes) = futures::try_join!(
            LifecycleCheck::read(&space, &project, &release, &targets),
            DeploymentFreezes::read(&space, &project, &targets, times),
        )?;
        let freezes = freezes.with_overrides(overridden)?;
        freezes.ensure_allowed()?;
        let (current, previews) = futures::try_join!(
            CurrentDeployments::read(&space, &project, &targets),
            TargetPreviews::read(&targets, |environment, tenant| {
                let (environment, tenant) = (&environment.id, tenant.map(|tenant| &tenant.id));
                previews::for_deployment(&space, &release.id, environment, tenant).map_ok(Some)
            }),
        )?;
        let prompts = PromptedVariables::new("variables", &previews, &self.variables)?;
        let mut options = ExecutionOptions {
            schedule: times,
            use_guided_failure: self.use_guided_failure,
            force_package_download: self.force_package_download,
            included_targets: only_on,
            excluded_targets: not_on,
            skipped_steps: StringList::as_slice(&self.skip_step_names).to_vec(),
            freeze_override: freezes.freeze_override(override_reason),
        };
        options.check_steps(&previews)?;
        let change_request =
            self.change_request(&space, &project, &release, &targets, &options, &prompts);
        let tenants_text = targets.tenancy.description();
        let title = format!(
            "Deploy {} {} to {}{tenants_text}?",
            project.label(),
            release.version,
            targets.names()
        );
        let access_set = executions::access_set(&space, &project, Some(&targets));
        let mut preview = ChangePreview::new("deployment", &title, change_request)
            .with_access_set(access_set)
            .line("Space", space.name())
            .line("Project", project.label())
            .line("Release", &release.version);
        preview = targets.add_to_preview(preview);
        preview = current.add_to_preview(preview);
        preview = lifecycle.add_to_preview(preview);
        preview = options.add_to_preview(preview);
        preview = prompts.add_to_preview(preview);
        preview = previews.add_to_preview(preview, &options);
        preview = freezes.add_to_preview(preview);
        let yes = |on: Option<bool>| on.filter(|on| *on).map(|_| "yes");
        preview = preview
            .line_if("Redeploys packages", yes(self.force_package_redeployment))
            .line_if("Updates the variable snapshot", yes(self.update_variable_snapshot))
            .caller_text("Override reason", options.override_reason())
            .required_state(json!({ "release": release.id, "there": current.state() }));
        Ok(Plan::Change(preview))
    }

    async fn report(self, reply: ChangeResponse, cx: &Context) -> Result<Deployed, Error> {
        let created: Created = reply.json(Self::NAME)?;
        // The change was made, so values that cannot be looked up are omitted.
        let space = cx.resolve_space(self.space.as_deref()).await.ok();
        let tasks: Vec<DeploymentTask> = created
            .tasks
            .into_iter()
            .map(|CreatedTask { deployment, task }| DeploymentTask {
                task_resource_uri: space
                    .as_ref()
                    .filter(|_| cx.access.is_enabled("tasks"))
                    .map(|space| resource_uri(["spaces", space.name(), "tasks", &task, "details"])),
                url: space.as_ref().map(|space| space.portal().task_by_text_id(&task)),
                task_id: task,
                deployment_id: deployment,
            })
            .collect();
        let tenanted = self.tenants.is_some() || self.tenant_tags.is_some();
        Ok(Deployed {
            success: !tasks.is_empty(),
            deployment_type: if tenanted { "tenanted" } else { "untenanted" },
            deployments_created: tasks.len(),
            message: executions::message("deployment", tasks.len(), self.run_at.as_deref()),
            deployment_tasks: tasks,
            help_text: executions::help_text(cx),
        })
    }
}

impl DeployRelease {
    fn change_request(
        &self,
        space: &Space,
        project: &Project,
        release: &Release,
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
        put("ReleaseVersion", json!(release.version));
        let environments = targets.environment_ids();
        let form = match &targets.tenancy {
            Tenancy::Untenanted => {
                put("EnvironmentNames", json!(environments));
                "untenanted"
            }
            tenancy @ Tenancy::Tenanted { .. } => {
                put("EnvironmentName", json!(environments.first()));
                put("Tenants", json!(tenancy.ids()));
                "tenanted"
            }
        };
        for (key, on) in [
            ("ForcePackageRedeployment", self.force_package_redeployment),
            ("UpdateVariableSnapshot", self.update_variable_snapshot),
        ] {
            if let Some(on) = on {
                put(key, json!(on));
            }
        }
        if let Some(values) = prompts.values() {
            put("Variables", values);
        }
        options.write_to(&mut body);
        ChangeRequest::post(space.path(["deployments", "create", form, "v1"]), Value::Object(body))
    }
}

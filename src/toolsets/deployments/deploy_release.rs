//! `deploy_release`.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::already_there::AlreadyThere;
use crate::{
    octopus::{
        Named, OctopusVersion, Order, Reply, Space,
        previews::{self, Preview},
        projects::Project,
        releases::{self, Release},
    },
    tool::{Change, Context, Error, Plan, ProjectArg, Proposal, SpaceArg, Tags, Words, uri},
    toolsets::executions::{self, Manner, Mode, Prompts, Targets, Tenancy, Times},
};

/// Deploy a release of a project to environments, or to tenants in one environment. Returns the server
/// tasks; get_task_details shows their progress.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DeployRelease {
    space: Option<SpaceArg>,
    project_name: ProjectArg,
    /// Version of the release, e.g. "1.2.3".
    release_version: String,
    /// Environment names, slugs or IDs; only one with tenants.
    environment_names: Words,
    /// Tenant names, slugs or IDs.
    tenants: Option<Words>,
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
    specific_machine_names: Option<Words>,
    /// Deployment targets to exclude.
    excluded_machine_names: Option<Words>,
    /// Names of steps to skip.
    skip_step_names: Option<Words>,
    /// Download packages again.
    force_package_download: Option<bool>,
    /// Deploy packages again that are already deployed.
    force_package_redeployment: Option<bool>,
    /// Update the variable snapshot of the release first.
    update_variable_snapshot: Option<bool>,
    /// Names of deployment freezes to override.
    deployment_freeze_names: Option<Words>,
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

/// Maximum number of deployment previews that are requested from Octopus.
const PREVIEWS: usize = 10;

impl Change for DeployRelease {
    const NAME: &'static str = "deploy_release";
    const TITLE: &'static str = "Deploy a release";
    const SINCE: OctopusVersion = executions::SINCE;

    type Output = Deployed;

    async fn plan(&self, cx: &Context) -> Result<Plan<Deployed>, Error> {
        let times =
            Times::read(self.run_at.as_deref(), self.no_run_after.as_deref(), Timestamp::now())?;
        let (tenants, tags) = (Words::of(&self.tenants), Tags::of(&self.tenant_tags));
        let tenanted = !tenants.is_empty() || !tags.is_empty();
        if tenanted && self.environment_names.0.len() > 1 {
            return Err(Error::Invalid(
                "a deployment to tenants takes one environment; call once per environment"
                    .to_owned(),
            ));
        }
        let freezes = Words::of(&self.deployment_freeze_names);
        if freezes.is_empty() != self.deployment_freeze_override_reason.is_none() {
            return Err(Error::Invalid(
                "deploymentFreezeNames and deploymentFreezeOverrideReason require each other"
                    .to_owned(),
            ));
        }
        executions::ensure_freeze_names(freezes)?;
        let space = executions::space(cx, self.space.as_deref()).await?;
        let project: Project = space.find_for_change(&self.project_name).await?;
        if project.is_disabled {
            return Err(Error::Invalid(format!("the project {} is disabled", project.name)));
        }
        let mode = Mode::of(&project.name, project.tenanted_deployment_mode.as_deref());
        let (release, targets, only_on, not_on) = futures::try_join!(
            async { Ok(releases::by_version(&space, &project, &self.release_version).await?) },
            Targets::find(&space, &project, mode, &self.environment_names.0, tenants, tags),
            Manner::machines(&space, Words::of(&self.specific_machine_names)),
            Manner::machines(&space, Words::of(&self.excluded_machine_names)),
        )?;
        executions::ensure_plain_version(&release)?;
        let (current, previews) = futures::try_join!(
            AlreadyThere::of(&space, &project, &targets),
            previews_of(&space, &release, &targets),
        )?;
        let prompts = Prompts::of("variables", previews.as_deref(), &self.variables)?;
        let mut manner = Manner {
            times,
            use_guided_failure: self.use_guided_failure,
            force_package_download: self.force_package_download,
            only_on,
            not_on,
            skipped: Words::of(&self.skip_step_names).to_vec(),
        };
        manner.check_steps(previews.as_deref())?;
        let order = self.order(&space, &project, &release, &targets, &manner, &prompts);
        let tenants_text = targets.tenancy.whom();
        let question = format!(
            "Deploy {} {} to {}{tenants_text}?",
            project.label(),
            release.version,
            targets.names()
        );
        let touches = executions::touches(&space, &project, Some(&targets));
        let mut proposal = Proposal::new("deployment", &question, order)
            .touching(touches)
            .fact("Space", space.name())
            .fact("Project", project.label())
            .fact("Release", &release.version);
        proposal = targets.show(proposal);
        proposal = current.show(proposal);
        proposal = manner.show(proposal);
        proposal = prompts.show(proposal);
        let yes = |on: Option<bool>| on.filter(|on| *on).map(|_| "yes");
        proposal = proposal
            .fact_if("Redeploys packages", yes(self.force_package_redeployment))
            .fact_if("Updates the variable snapshot", yes(self.update_variable_snapshot))
            .wrote_list("Overridden freezes", freezes)
            .wrote("Override reason", self.deployment_freeze_override_reason.as_ref())
            .state(json!({ "release": release.id, "there": current.state() }));
        Ok(Plan::Change(proposal))
    }

    async fn report(self, reply: Reply, cx: &Context) -> Result<Deployed, Error> {
        let created: Created = reply.json(Self::NAME)?;
        // The change was made; values that cannot be looked up are left out.
        let space = cx.space(self.space.as_deref()).await.ok();
        let tasks: Vec<DeploymentTask> = created
            .tasks
            .into_iter()
            .map(|CreatedTask { deployment, task }| DeploymentTask {
                task_resource_uri: space
                    .as_ref()
                    .filter(|_| cx.policy.is_on("tasks"))
                    .map(|space| uri(["spaces", space.name(), "tasks", &task, "details"])),
                url: space.as_ref().map(|space| space.portal().task_page(&task)),
                task_id: task,
                deployment_id: deployment,
            })
            .collect();
        let tenanted = self.tenants.is_some() || self.tenant_tags.is_some();
        Ok(Deployed {
            success: true,
            deployment_type: if tenanted { "tenanted" } else { "untenanted" },
            deployments_created: tasks.len(),
            message: executions::message("deployment", tasks.len(), self.run_at.as_deref()),
            deployment_tasks: tasks,
            help_text: executions::help(cx),
        })
    }
}

impl DeployRelease {
    fn order(
        &self,
        space: &Space,
        project: &Project,
        release: &Release,
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
        if let (Some(names), Some(reason)) =
            (&self.deployment_freeze_names, &self.deployment_freeze_override_reason)
        {
            put("DeploymentFreezeNames", json!(names.0));
            put("DeploymentFreezeOverrideReason", json!(reason));
        }
        manner.write(&mut body);
        Order::post(space.path(["deployments", "create", form, "v1"]), Value::Object(body))
    }
}

/// Returns the deployment preview of Octopus for each environment and tenant.
///
/// Returns `None` for more than [`MAX_PREVIEWS`], because the requests would take long. Octopus checks prompts and
/// steps in that case.
async fn previews_of(
    space: &Space,
    release: &Release,
    targets: &Targets,
) -> Result<Option<Vec<Preview>>, Error> {
    let tenants: Vec<_> = targets.tenancy.tenants().map(|tenant| Some(&tenant.id)).collect();
    let tenants = if tenants.is_empty() { vec![None] } else { tenants };
    let places = targets
        .environments
        .iter()
        .flat_map(|environment| tenants.iter().map(move |tenant| (&environment.id, *tenant)));
    let places: Vec<_> = places.collect();
    if places.len() > PREVIEWS {
        return Ok(None);
    }
    let previews = places.iter().map(|(environment, tenant)| {
        previews::of_deployment(space, &release.id, environment, *tenant)
    });
    let previews = stream::iter(previews.collect::<Vec<_>>()).buffered(4).try_collect();
    Ok(Some(previews.await?))
}

//! A deployment in the form of the answer, with names and the state of its task.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    octopus::{
        ById, Error, Id, Space, channels::Channel, deployments::Deployment,
        environments::Environment, machines::Machine, projects::Project, releases::Release,
        tasks::Task, tenants::Tenant,
    },
    tool::NamesById,
};

/// A deployment in an answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeploymentSummary {
    space_id: String,
    id: String,
    name: Option<String>,
    project_id: String,
    project_name: Option<String>,
    release_id: String,
    release_version: Option<String>,
    version_control_reference: Option<GitReference>,
    environment_id: String,
    environment_name: Option<String>,
    tenant_id: Option<String>,
    tenant_name: Option<String>,
    channel_id: Option<String>,
    channel_name: Option<String>,
    task_id: String,
    /// State of the deployment: the state of its task.
    task_state: Option<String>,
    error_message: Option<String>,
    /// True if the deployment waits for a person; otherwise absent.
    has_pending_interruptions: Option<bool>,
    /// True if the task has warnings or errors, even if it continued; otherwise absent.
    has_warnings_or_errors: Option<bool>,
    created: Option<String>,
    completed_time: Option<String>,
    duration: Option<String>,
    deployed_by: Option<String>,
    /// Agent, User, ServiceAccount, System or Unknown. Absent before Octopus 2026.
    deployed_by_actor_type: Option<String>,
    deployment_process_id: Option<String>,
    comments: Option<String>,
    form_values: Map<String, Value>,
    queue_time: Option<String>,
    queue_time_expiry: Option<String>,
    use_guided_failure: bool,
    /// Deployment targets that the deployment is limited to. Empty means all.
    specific_machine_ids: Vec<String>,
    specific_machine_names: Option<Vec<String>>,
    excluded_machine_ids: Vec<String>,
    excluded_machine_names: Option<Vec<String>>,
    skip_actions: Vec<String>,
    force_package_download: bool,
    force_package_redeployment: bool,
    url: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct GitReference {
    git_ref: Option<String>,
    git_commit: Option<String>,
}

/// The documents that deployments refer to, read with one request per kind.
pub(super) struct DeploymentReferences {
    projects: NamesById,
    environments: NamesById,
    tenants: NamesById,
    channels: NamesById,
    machines: NamesById,
    releases: ById<Release>,
    tasks: HashMap<String, Task>,
}

impl DeploymentReferences {
    pub(super) async fn read(space: &Space, deployments: &[Deployment]) -> Result<Self, Error> {
        fn each<'a, R: 'a>(
            deployments: &'a [Deployment],
            id: fn(&'a Deployment) -> Option<&'a Id<R>>,
        ) -> impl Iterator<Item = &'a Id<R>> {
            deployments.iter().filter_map(id)
        }
        let machines: Vec<&Id<Machine>> = deployments
            .iter()
            .flat_map(|d| d.specific_machine_ids.iter().chain(&d.excluded_machine_ids))
            .collect();
        let (projects, environments, tenants, channels, machines, releases, tasks) = futures::try_join!(
            NamesById::lookup::<Project>(space, each(deployments, |d| Some(&d.project_id))),
            NamesById::lookup::<Environment>(space, each(deployments, |d| Some(&d.environment_id))),
            NamesById::lookup::<Tenant>(space, each(deployments, |d| d.tenant_id.as_ref())),
            NamesById::lookup::<Channel>(space, each(deployments, |d| d.channel_id.as_ref())),
            NamesById::lookup::<Machine>(space, machines),
            space.read_by_ids::<Release>(each(deployments, |d| Some(&d.release_id))),
            space.by_ids::<Task>(each(deployments, |d| Some(&d.task_id))),
        )?;
        Ok(Self { projects, environments, tenants, channels, machines, releases, tasks })
    }

    /// Returns the reason why parts of the summaries are missing.
    pub(super) fn incomplete(&self) -> Option<String> {
        self.releases.incomplete("releaseVersion")
    }

    pub(super) fn summary(&self, space: &Space, deployment: Deployment) -> DeploymentSummary {
        let release = self.releases.documents.get(deployment.release_id.as_str());
        let task = self.tasks.get(deployment.task_id.as_str());
        let tenant_id = deployment.tenant_id.map(Id::into_string);
        let channel_id = deployment.channel_id.map(Id::into_string);
        DeploymentSummary {
            space_id: space.id().to_string(),
            url: space.portal().deployment(&deployment.id),
            id: deployment.id.into_string(),
            name: deployment.name,
            project_name: self.projects.get(deployment.project_id.as_str()),
            project_id: deployment.project_id.into_string(),
            release_version: release.map(|release| release.version.clone()),
            version_control_reference: release
                .and_then(|release| release.version_control_reference.clone())
                .map(|git| GitReference { git_ref: git.git_ref, git_commit: git.git_commit }),
            release_id: deployment.release_id.into_string(),
            environment_name: self.environments.get(deployment.environment_id.as_str()),
            environment_id: deployment.environment_id.into_string(),
            tenant_name: tenant_id.as_deref().and_then(|id| self.tenants.get(id)),
            tenant_id,
            channel_name: channel_id.as_deref().and_then(|id| self.channels.get(id)),
            channel_id,
            task_id: deployment.task_id.into_string(),
            task_state: task.and_then(|task| task.state.clone()),
            error_message: task
                .and_then(|task| task.error_message.clone())
                .filter(|message| !message.is_empty()),
            has_pending_interruptions: task
                .map(|task| task.has_pending_interruptions)
                .filter(|waits| *waits),
            has_warnings_or_errors: task
                .map(|task| task.has_warnings_or_errors)
                .filter(|wrong| *wrong),
            created: deployment.created,
            completed_time: task.and_then(|task| task.completed_time.clone()),
            duration: task.and_then(|task| task.duration.clone()),
            deployed_by: deployment.deployed_by,
            deployed_by_actor_type: deployment.deployed_by_actor_type,
            deployment_process_id: deployment.deployment_process_id,
            comments: deployment.comments,
            form_values: deployment.form_values,
            queue_time: deployment.queue_time,
            queue_time_expiry: deployment.queue_time_expiry,
            use_guided_failure: deployment.use_guided_failure,
            specific_machine_names: self.machine_names(&deployment.specific_machine_ids),
            specific_machine_ids: texts(deployment.specific_machine_ids),
            excluded_machine_names: self.machine_names(&deployment.excluded_machine_ids),
            excluded_machine_ids: texts(deployment.excluded_machine_ids),
            skip_actions: deployment.skip_actions,
            force_package_download: deployment.force_package_download,
            force_package_redeployment: deployment.force_package_redeployment,
        }
    }

    /// Returns the names of deployment targets, or `None` if the caller can see none of them.
    fn machine_names(&self, ids: &[Id<Machine>]) -> Option<Vec<String>> {
        let names: Vec<String> =
            ids.iter().filter_map(|id| self.machines.get(id.as_str())).collect();
        (!names.is_empty()).then_some(names)
    }
}

fn texts<R>(ids: Vec<Id<R>>) -> Vec<String> {
    ids.into_iter().map(Id::into_string).collect()
}

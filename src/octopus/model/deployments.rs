//! Deployments: one release deployed to one environment, optionally for one tenant.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::{As, DefaultOnNull};

use super::{
    channels::Channel,
    environments::Environment,
    machines::Machine,
    projects::Project,
    releases::Release,
    resource::{Id, Resource},
    space::Space,
    tasks::Task,
    tenants::Tenant,
};
use crate::octopus::client::{
    error::Error,
    page::{Page, PageRange},
};

/// Fields of a deployment that the tools read. The state of a deployment is that of its task.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Deployment {
    pub id: Id<Deployment>,
    pub name: Option<String>,
    pub release_id: Id<Release>,
    pub project_id: Id<Project>,
    pub environment_id: Id<Environment>,
    pub tenant_id: Option<Id<Tenant>>,
    pub channel_id: Option<Id<Channel>>,
    pub task_id: Id<Task>,
    pub created: Option<String>,
    pub deployed_by: Option<String>,
    /// `Agent`, `User`, `ServiceAccount`, `System` or `Unknown`. Since Octopus 2026.
    pub deployed_by_actor_type: Option<String>,
    pub deployment_process_id: Option<String>,
    pub comments: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub form_values: serde_json::Map<String, Value>,
    pub queue_time: Option<String>,
    pub queue_time_expiry: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub use_guided_failure: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub specific_machine_ids: Vec<Id<Machine>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub excluded_machine_ids: Vec<Id<Machine>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub skip_actions: Vec<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub force_package_download: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub force_package_redeployment: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub failure_encountered: bool,
}

impl Resource for Deployment {
    const NOUN: &'static str = "deployment";
    const ID_PREFIX: &'static str = "Deployments-";
    const COLLECTION: &'static str = "deployments";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// Task states as Octopus spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TaskState {
    Canceled,
    Cancelling,
    Executing,
    Failed,
    Queued,
    Success,
    TimedOut,
}

/// Filter for deployments. An empty list does not filter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// IDs of the projects.
    pub projects: Vec<Id<Project>>,
    /// IDs of the environments.
    pub environments: Vec<Id<Environment>>,
    /// IDs of the tenants.
    pub tenants: Vec<Id<Tenant>>,
    /// IDs of the channels.
    pub channels: Vec<Id<Channel>>,
    /// State of the deployment's task.
    pub task_state: Option<TaskState>,
}

impl Filter {
    /// Returns whether no criterion is set.
    pub fn is_empty(&self) -> bool {
        self.projects.is_empty()
            && self.environments.is_empty()
            && self.tenants.is_empty()
            && self.channels.is_empty()
            && self.task_state.is_none()
    }
}

/// Reads a page of the deployments of a space, newest first.
pub async fn list(
    space: &Space,
    filter: &Filter,
    window: PageRange,
) -> Result<Page<Deployment>, Error> {
    let path = space
        .path([Deployment::COLLECTION])
        .query_list("projects", &filter.projects)
        .query_list("environments", &filter.environments)
        .query_list("tenants", &filter.tenants)
        .query_list("channels", &filter.channels)
        .query_opt("taskState", filter.task_state.map(|state| format!("{state:?}")));
    space.list(path, window).await
}

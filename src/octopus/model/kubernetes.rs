//! Live status of Kubernetes objects, as Octopus's monitor reports it. Since Octopus 2025.3.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    environments::Environment, machines::Machine, projects::Project, resource::Id, space::Space,
    tenants::Tenant,
};
use crate::octopus::client::{error::Error, version::OctopusVersion};

/// The first version with live status.
pub const SINCE: OctopusVersion = OctopusVersion(2025, 3, 0);

/// Live status of a project in an environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LiveStatus {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub machine_statuses: Vec<MachineStatus>,
    /// Argo CD instances that report applications of the project. No source lists their fields, so
    /// they are passed on.
    #[serde(rename = "ArgoCDInstanceStatuses", default, with = "As::<DefaultOnNull>")]
    pub argo_cd_instance_statuses: Vec<serde_json::Value>,
    pub summary: Option<Summary>,
}

/// Live status at one deployment target.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MachineStatus {
    pub machine_id: Option<Id<Machine>>,
    pub status: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub resources: Vec<LiveResource>,
}

/// A Kubernetes object. The values for health and sync status are an open set.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LiveResource {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub name: String,
    pub namespace: Option<String>,
    pub kind: Option<String>,
    pub group: Option<String>,
    pub health_status: Option<String>,
    pub sync_status: Option<String>,
    pub health_status_message: Option<String>,
    pub sync_status_message: Option<String>,
    pub desired_resource_id: Option<serde_json::Value>,
    pub resource_id: Option<serde_json::Value>,
    pub last_updated: Option<String>,
    /// Deployment target or Argo CD instance that reports the object.
    pub resource_source_id: Option<String>,
    /// `KubernetesMonitor`, `ArgoCDInstance` or `ArgoCDApplication`.
    pub source_type: Option<String>,
    /// Time since when no deployment contains the object any more.
    pub orphaned_at: Option<String>,
    /// State of the task that deletes an orphaned object.
    pub deletion_task_state: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub children: Vec<LiveResource>,
}

/// Summary of the status. Older versions send only `status` and `last_updated`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary {
    pub status: Option<String>,
    pub health_status: Option<String>,
    pub sync_status: Option<String>,
    pub sync_status_message: Option<String>,
    pub last_updated: Option<String>,
    pub total_orphan_count: Option<u32>,
}

/// Reads the live status. Returns `None` if nothing is monitored.
pub async fn live_status(
    space: &Space,
    project: &Id<Project>,
    environment: &Id<Environment>,
    tenant: Option<&Id<Tenant>>,
    summary_only: bool,
) -> Result<Option<LiveStatus>, Error> {
    let path = space.path(["projects", project.as_str(), "environments", environment.as_str()]);
    let path = match tenant {
        Some(tenant) => path.join(["tenants", tenant.as_str()]),
        None => path.join(["untenanted"]),
    };
    let path = path.join(["livestatus"]).query_opt("summaryOnly", summary_only.then_some(true));
    match space.session().get(&path).await {
        // The project, environment and tenant exist, because the caller found them before.
        Err(Error::NotFound { .. }) => Ok(None),
        read => read.map(Some),
    }
}

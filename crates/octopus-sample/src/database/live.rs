//! Kubernetes live status of a project in an environment, with or without a tenant.

use serde::Deserialize;

/// Last report of the Kubernetes monitor.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LiveStatus {
    pub(crate) space_id: String,
    pub(crate) project_id: String,
    pub(crate) environment_id: String,
    pub(crate) tenant_id: Option<String>,
    pub(crate) machine_id: String,
    pub(crate) namespace: String,
    pub(crate) status: String,
    pub(crate) health_status: String,
    pub(crate) sync_status: String,
    pub(crate) sync_status_message: Option<String>,
    /// Age of the report in minutes at the fixed current time.
    pub(crate) minutes_ago: i64,
    pub(crate) resources: Vec<Resource>,
    /// Names of the Argo CD instances that report applications of the project.
    #[serde(default)]
    pub(crate) argo_instances: Vec<String>,
}

/// A Kubernetes object and its children.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Resource {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) health_status: String,
    #[serde(default)]
    pub(crate) sync_status: Option<String>,
    #[serde(default)]
    pub(crate) health_status_message: Option<String>,
    #[serde(default)]
    pub(crate) sync_status_message: Option<String>,
    #[serde(default)]
    pub(crate) image: Option<String>,
    /// Time since when no deployment contains the object any more.
    #[serde(default)]
    pub(crate) orphaned_at: Option<String>,
    /// State of the task that deletes the orphaned object.
    #[serde(default)]
    pub(crate) deletion_task_state: Option<String>,
    #[serde(default)]
    pub(crate) children: Vec<Resource>,
}

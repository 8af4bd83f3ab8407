//! The Kubernetes live status of a project in an environment, for a tenant or for none.

use serde::Deserialize;

/// What the monitor last reported.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct LiveStatus {
    pub(in crate::sample) space_id: String,
    pub(in crate::sample) project_id: String,
    pub(in crate::sample) environment_id: String,
    pub(in crate::sample) tenant_id: Option<String>,
    pub(in crate::sample) machine_id: String,
    pub(in crate::sample) namespace: String,
    pub(in crate::sample) status: String,
    pub(in crate::sample) health_status: String,
    pub(in crate::sample) sync_status: String,
    pub(in crate::sample) sync_status_message: Option<String>,
    /// How many minutes before the clock it reported.
    pub(in crate::sample) minutes_ago: i64,
    pub(in crate::sample) resources: Vec<Resource>,
}

/// A Kubernetes object and those it owns.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct Resource {
    pub(in crate::sample) kind: String,
    pub(in crate::sample) name: String,
    pub(in crate::sample) group: String,
    pub(in crate::sample) health_status: String,
    #[serde(default)]
    pub(in crate::sample) sync_status: Option<String>,
    #[serde(default)]
    pub(in crate::sample) health_status_message: Option<String>,
    #[serde(default)]
    pub(in crate::sample) sync_status_message: Option<String>,
    #[serde(default)]
    pub(in crate::sample) image: Option<String>,
    #[serde(default)]
    pub(in crate::sample) children: Vec<Resource>,
}

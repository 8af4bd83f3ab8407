//! Dashboard: the latest deployment of each project in each environment, for each tenant.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    environments::Environment, projects::Project, resource::Id, space::Space, tenants::Tenant,
};
use crate::octopus::client::error::Error;

/// The latest deployment of a project to one environment and tenant.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DashboardItem {
    pub deployment_id: String,
    pub environment_id: Id<Environment>,
    pub tenant_id: Option<Id<Tenant>>,
    pub release_version: Option<String>,
    pub state: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_completed: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Dashboard {
    #[serde(default, with = "As::<DefaultOnNull>")]
    items: Vec<DashboardItem>,
}

/// Reads the latest deployments of a project (`GET /dashboard/dynamic`). An empty `environments`
/// does not filter.
pub async fn latest_deployments(
    space: &Space,
    project: &Id<Project>,
    environments: &[&Id<Environment>],
) -> Result<Vec<DashboardItem>, Error> {
    let path = space
        .path(["dashboard", "dynamic"])
        .query("projects", project)
        .query_list("environments", environments);
    let dashboard: Dashboard = space.session().get(&path).await?;
    Ok(dashboard.items)
}

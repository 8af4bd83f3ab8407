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
    /// `None` for a place without a deployment.
    pub deployment_id: Option<String>,
    pub environment_id: Option<Id<Environment>>,
    pub tenant_id: Option<Id<Tenant>>,
    pub release_version: Option<String>,
    pub state: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_completed: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Dashboard {
    #[serde(default, with = "As::<DefaultOnNull>")]
    items: Vec<DashboardItem>,
}

/// Reads the latest deployments of a project in all environments (`GET /dashboard`). The form
/// `/dashboard/dynamic`, which filters environments, is deprecated in 2026.3. `showAll` includes
/// what the dashboard settings of the user hide. Places without a deployment are omitted.
pub async fn latest_deployments(
    space: &Space,
    project: &Id<Project>,
) -> Result<Vec<DashboardItem>, Error> {
    let path = space.path(["dashboard"]).query("projectId", project).query("showAll", true);
    let dashboard: Dashboard = space.session().get(&path).await?;
    let is_deployed =
        |item: &DashboardItem| item.deployment_id.is_some() && item.environment_id.is_some();
    Ok(dashboard.items.into_iter().filter(is_deployed).collect())
}

//! The dashboard: the newest deployment of each project in each environment, and for each tenant.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;

use super::{
    Error, Id, Space, environments::Environment, projects::Project, resource::null_as_default,
    tenants::Tenant,
};

/// The newest deployment of a project in one place.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DashboardItem {
    pub deployment_id: String,
    pub environment_id: Id<Environment>,
    pub tenant_id: Option<Id<Tenant>>,
    pub release_version: Option<String>,
    pub state: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_completed: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Dashboard {
    #[serde(default, deserialize_with = "null_as_default")]
    items: Vec<DashboardItem>,
}

/// What is where of a project (`GET /dashboard/dynamic`).
pub async fn of_project(
    space: &Space,
    project: &Id<Project>,
    environments: &[&Id<Environment>],
) -> Result<Vec<DashboardItem>, Error> {
    let path = space
        .path(["dashboard", "dynamic"])
        .with("projects", project)
        .with_list("environments", environments);
    let dashboard: Dashboard = space.session().get(&path).await?;
    Ok(dashboard.items)
}

//! `get_tenant_by_id`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    access::Alias,
    octopus::{Id, environments::Environment, projects::Project, tenants::Tenant},
    tool::{Context, Error, NamedId, NamesById, SpaceArg, TenantArg, Tool},
};

/// Get one tenant with its tags and its connected projects and environments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetTenantById {
    space: Option<SpaceArg>,
    tenant_id: TenantArg,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TenantDetails {
    space_id: String,
    id: String,
    name: String,
    slug: Option<String>,
    description: String,
    is_disabled: bool,
    tenant_tags: Vec<String>,
    cloned_from_tenant_id: Option<String>,
    cloned_from_tenant_name: Option<String>,
    /// Projects that the tenant is connected to, with their environments.
    project_environments: Vec<Connection>,
    url: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Connection {
    project_id: String,
    project_name: Option<String>,
    environments: Vec<NamedId>,
}

impl Tool for GetTenantById {
    const NAME: &'static str = "get_tenant_by_id";
    const TITLE: &'static str = "Get a tenant";
    const TAKES_MAX_BYTES: bool = true;
    const ALIASES: &'static [Alias] = &[
        Alias::with_argument("find_tenants", "tenantId"),
        Alias::with_argument("find_tenants", "tenantName"),
    ];

    type Output = TenantDetails;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let tenant = space.find::<Tenant>(&self.tenant_id).await?;
        let connected: Vec<Id<Project>> =
            tenant.project_environments.keys().filter_map(|id| Id::parse(id).ok()).collect();
        let (projects, environments, originals) = futures::try_join!(
            NamesById::lookup::<Project>(&space, &connected),
            NamesById::lookup::<Environment>(
                &space,
                tenant.project_environments.values().flatten()
            ),
            NamesById::lookup::<Tenant>(&space, tenant.cloned_from_tenant_id.as_ref()),
        )?;
        let connection =
            |(project_id, environment_ids): (&String, &Vec<Id<Environment>>)| Connection {
                project_name: projects.get(project_id),
                project_id: project_id.clone(),
                environments: environment_ids.iter().map(|id| environments.named_id(id)).collect(),
            };
        Ok(TenantDetails {
            space_id: space.id().to_string(),
            url: space.portal().tenant(&tenant.id),
            project_environments: tenant.project_environments.iter().map(connection).collect(),
            id: tenant.id.into_string(),
            name: tenant.name,
            slug: tenant.slug,
            description: tenant.description,
            is_disabled: tenant.is_disabled,
            tenant_tags: tenant.tenant_tags,
            cloned_from_tenant_name: tenant
                .cloned_from_tenant_id
                .as_ref()
                .and_then(|id| originals.get(id.as_str())),
            cloned_from_tenant_id: tenant.cloned_from_tenant_id.map(Id::into_string),
        })
    }
}

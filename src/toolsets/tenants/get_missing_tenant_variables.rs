//! `get_missing_tenant_variables`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    octopus::{
        Space, Window,
        environments::Environment,
        library_variable_sets::LibraryVariableSet,
        projects::Project,
        tenants::{self, Missing, Tenant},
    },
    tool::{Context, Error, Names, Ref, Tool, name_of},
};

/// Find tenants with variables that need a value and have none: a deployment for them would fail.
/// Narrow it to a tenant, a project or an environment. With includeDetails it says which variables.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetMissingTenantVariables {
    /// The space: its name, slug or ID.
    space: Option<String>,
    /// Only this tenant: its name, slug or ID.
    tenant_id: Option<String>,
    /// Only variables of this project: its name, slug or ID.
    project_id: Option<String>,
    /// Only variables for this environment: its name, slug or ID.
    environment_id: Option<String>,
    /// Whether to say which variables have no value.
    include_details: Option<bool>,
    /// How many tenants to leave out from the start.
    skip: Option<u32>,
    /// How many tenants to give at most.
    take: Option<u32>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TenantsWithout {
    filters: Filters,
    include_details: bool,
    /// The tenants that have missing variables.
    missing_variables: Vec<TenantMissing>,
    total_results: u32,
    skip: u32,
    take: u32,
    /// The `skip` of the next page. Absent on the last page.
    next_skip: Option<u32>,
    hint: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Filters {
    tenant: Option<Ref>,
    project: Option<Ref>,
    environment: Option<Ref>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TenantMissing {
    tenant_id: String,
    tenant_name: Option<String>,
    url: String,
    /// Only with includeDetails.
    missing_variables: Option<Vec<MissingVariable>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MissingVariable {
    variable_template_name: Option<String>,
    variable_template_id: Option<String>,
    project: Option<Ref>,
    environment: Option<Ref>,
    library_variable_set: Option<Ref>,
}

impl Tool for GetMissingTenantVariables {
    const NAME: &'static str = "get_missing_tenant_variables";
    const TITLE: &'static str = "Find missing tenant variables";
    const ALIASES: &'static [(&'static str, &'static str)] = &[
        ("tenant", "tenantId"),
        ("tenantName", "tenantId"),
        ("project", "projectId"),
        ("projectName", "projectId"),
        ("environment", "environmentId"),
        ("environmentName", "environmentId"),
    ];

    type Output = TenantsWithout;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let include_details = self.include_details == Some(true);
        let Window { skip, take } = cx.window(self.skip, self.take)?;
        let space = cx.space(self.space.as_deref()).await?;
        let (tenant, project, environment) = futures::try_join!(
            space.find_some::<Tenant>(self.tenant_id.as_deref()),
            space.find_some::<Project>(self.project_id.as_deref()),
            space.find_some::<Environment>(self.environment_id.as_deref()),
        )?;
        let all = tenants::missing_variables(
            &space,
            tenant.as_ref().map(|tenant| &tenant.id),
            project.as_ref().map(|project| &project.id),
            environment.as_ref().map(|environment| &environment.id),
            include_details,
        )
        .await?;
        // Octopus gives all tenants at once, so the page is made here.
        let total = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let page: Vec<Missing> = all.into_iter().skip(skip as usize).take(take as usize).collect();
        let next = skip.saturating_add(u32::try_from(page.len()).unwrap_or(u32::MAX));
        let missing_variables = named(&space, page, include_details).await?;
        Ok(TenantsWithout {
            filters: Filters {
                tenant: tenant.as_ref().map(name_of),
                project: project.as_ref().map(name_of),
                environment: environment.as_ref().map(name_of),
            },
            include_details,
            missing_variables,
            total_results: total,
            skip,
            take,
            next_skip: (next < total).then_some(next),
            hint: (total == 0).then(|| {
                "every variable has a value for these filters, or this key may not see the tenants"
                    .to_owned()
            }),
        })
    }
}

async fn named(
    space: &Space,
    page: Vec<Missing>,
    include_details: bool,
) -> Result<Vec<TenantMissing>, Error> {
    let variables = || page.iter().flat_map(|tenant| &tenant.missing_variables);
    let (tenants, projects, environments, sets) = futures::try_join!(
        Names::of::<Tenant>(space, page.iter().map(|tenant| &tenant.tenant_id)),
        Names::of::<Project>(space, variables().filter_map(|v| v.project_id.as_ref())),
        Names::of::<Environment>(space, variables().filter_map(|v| v.environment_id.as_ref())),
        Names::of::<LibraryVariableSet>(
            space,
            variables().filter_map(|v| v.library_variable_set_id.as_ref())
        ),
    )?;
    let shown = page.into_iter().map(|tenant| TenantMissing {
        url: space.portal().tenant(&tenant.tenant_id),
        tenant_name: tenants.get(tenant.tenant_id.as_str()),
        tenant_id: tenant.tenant_id.into_string(),
        missing_variables: include_details.then(|| {
            let variable = |variable: tenants::MissingVariable| MissingVariable {
                variable_template_name: variable.variable_template_name,
                variable_template_id: variable.variable_template_id,
                project: variable.project_id.map(|id| projects.with(&id)),
                environment: variable.environment_id.map(|id| environments.with(&id)),
                library_variable_set: variable.library_variable_set_id.map(|id| sets.with(&id)),
            };
            tenant.missing_variables.into_iter().map(variable).collect()
        }),
    });
    Ok(shown.collect())
}

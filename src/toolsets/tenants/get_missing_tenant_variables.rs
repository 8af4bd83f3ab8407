//! `get_missing_tenant_variables`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    octopus::{
        Id, PageRange, Space, UnreadableItem,
        environments::Environment,
        library_variable_sets::LibraryVariableSet,
        projects::Project,
        tenants::{self, Tenant, TenantMissingVariables},
    },
    tool::{
        Context, EnvironmentArg, Error, NamesById, ProjectArg, Skip, SpaceArg, Take, TenantArg,
        Tool,
    },
};

/// Find tenants without values for required variables. Deployments for them would fail.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetMissingTenantVariables {
    space: Option<SpaceArg>,
    tenant_id: Option<TenantArg>,
    project_id: Option<ProjectArg>,
    environment_id: Option<EnvironmentArg>,
    /// Return the names of the missing variables, not only their tenants.
    #[schemars(extend("default" = false))]
    include_details: Option<bool>,
    skip: Option<Skip>,
    take: Option<Take>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MissingTenantVariables {
    filters: Filters,
    include_details: bool,
    /// Tenants with missing variables.
    missing_variables: Vec<TenantMissing>,
    /// Total number of tenants with missing variables.
    total_results: u32,
    skip: u32,
    take: u32,
    /// The skip of the next page. Absent on the last page.
    next_skip: Option<u32>,
    hint: Option<String>,
    /// Tenants that could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    incomplete: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Filters {
    tenant_id: Option<String>,
    tenant_name: Option<String>,
    project_id: Option<String>,
    project_name: Option<String>,
    environment_id: Option<String>,
    environment_name: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TenantMissing {
    tenant_id: String,
    tenant_name: Option<String>,
    url: String,
    /// Missing variables; absent without includeDetails.
    missing_variables: Option<Vec<MissingVariable>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MissingVariable {
    variable_template_name: Option<String>,
    variable_template_id: Option<String>,
    project_id: Option<String>,
    project_name: Option<String>,
    environment_id: Option<String>,
    environment_name: Option<String>,
    library_variable_set_id: Option<String>,
    library_variable_set_name: Option<String>,
}

impl Tool for GetMissingTenantVariables {
    const NAME: &'static str = "get_missing_tenant_variables";
    const TITLE: &'static str = "Find missing tenant variables";

    type Output = MissingTenantVariables;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let include_details = self.include_details == Some(true);
        let PageRange { skip, take } = cx.window(self.skip, self.take)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let (tenant, project, environment) = futures::try_join!(
            space.find_optional::<Tenant>(self.tenant_id.as_deref()),
            space.find_optional::<Project>(self.project_id.as_deref()),
            space.find_optional::<Environment>(self.environment_id.as_deref()),
        )?;
        let all = tenants::missing_variables(
            &space,
            tenant.as_ref().map(|tenant| &tenant.id),
            project.as_ref().map(|project| &project.id),
            environment.as_ref().map(|environment| &environment.id),
            include_details,
        )
        .await?;
        // Octopus returns all tenants at once, so this server selects the page.
        let incomplete = UnreadableItem::describe(&all.unreadable).into_iter().collect();
        let total = u32::try_from(all.items.len()).unwrap_or(u32::MAX);
        let mut page: Vec<TenantMissingVariables> =
            all.items.into_iter().skip(skip as usize).take(take as usize).collect();
        let next = skip.saturating_add(u32::try_from(page.len()).unwrap_or(u32::MAX));
        let denied = remove_denied(&mut page, cx).await?;
        let missing_variables = with_names(&space, page, include_details).await?;
        Ok(MissingTenantVariables {
            filters: Filters {
                tenant_id: tenant.as_ref().map(|tenant| tenant.id.to_string()),
                tenant_name: tenant.map(|tenant| tenant.name),
                project_id: project.as_ref().map(|project| project.id.to_string()),
                project_name: project.map(|project| project.name),
                environment_id: environment.as_ref().map(|found| found.id.to_string()),
                environment_name: environment.map(|environment| environment.name),
            },
            include_details,
            missing_variables,
            total_results: total,
            skip,
            take,
            next_skip: (next < total).then_some(next),
            hint: hint(total, skip).or_else(|| super::denied_hint(denied)),
            incomplete,
        })
    }
}

fn hint(total: u32, skip: u32) -> Option<String> {
    if total == 0 {
        let hint = "every required variable of the tenants that this user can see has a value";
        return Some(hint.to_owned());
    }
    (skip >= total)
        .then(|| format!("`skip` is past the end: there are {total}, the first at skip 0"))
}

/// Removes variables of projects or environments that the policy denies to read. Returns their
/// number.
async fn remove_denied(page: &mut [TenantMissingVariables], cx: &Context) -> Result<usize, Error> {
    let place = |variable: &tenants::MissingVariable| {
        let project = variable.project_id.as_ref().map(Id::as_str);
        super::variables::owner_fields(project, variable.environment_id.as_ref().map(Id::as_str))
    };
    let variables = page.iter().flat_map(|tenant| &tenant.missing_variables);
    let mut readable =
        cx.readable_documents(&Arc::new(variables.map(place).collect())).await?.into_iter();
    let mut denied = 0;
    for tenant in page {
        let before = tenant.missing_variables.len();
        tenant.missing_variables.retain(|_| readable.next() == Some(true));
        denied += before - tenant.missing_variables.len();
    }
    Ok(denied)
}

async fn with_names(
    space: &Space,
    page: Vec<TenantMissingVariables>,
    include_details: bool,
) -> Result<Vec<TenantMissing>, Error> {
    let variables = || page.iter().flat_map(|tenant| &tenant.missing_variables);
    let (tenants, projects, environments, sets) = futures::try_join!(
        NamesById::lookup::<Tenant>(space, page.iter().map(|tenant| &tenant.tenant_id)),
        NamesById::lookup::<Project>(space, variables().filter_map(|v| v.project_id.as_ref())),
        NamesById::lookup::<Environment>(
            space,
            variables().filter_map(|v| v.environment_id.as_ref())
        ),
        NamesById::lookup::<LibraryVariableSet>(
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
                project_name: name(&projects, variable.project_id.as_ref()),
                project_id: variable.project_id.map(Id::into_string),
                environment_name: name(&environments, variable.environment_id.as_ref()),
                environment_id: variable.environment_id.map(Id::into_string),
                library_variable_set_name: name(&sets, variable.library_variable_set_id.as_ref()),
                library_variable_set_id: variable.library_variable_set_id.map(Id::into_string),
            };
            tenant.missing_variables.into_iter().map(variable).collect()
        }),
    });
    Ok(shown.collect())
}

fn name<R>(names: &NamesById, id: Option<&Id<R>>) -> Option<String> {
    id.and_then(|id| names.get(id.as_str()))
}

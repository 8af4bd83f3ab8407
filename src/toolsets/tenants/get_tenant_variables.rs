//! `get_tenant_variables`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    variable_type::VariableType,
    variables::{self, PageRequest, TenantVariable, VariablesPage},
};
use crate::{
    compute::Budget,
    octopus::{
        PageRange, Space,
        tenants::{self, ScopedVariables, Tenant, VariableGroup},
    },
    tool::{Context, Error, Skip, SpaceArg, Take, TenantArg, Tool},
};

/// Get the variables of a tenant with their values and environments: common ones from library
/// variable sets, those of projects, or all. Sensitive values are never shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetTenantVariables {
    space: Option<SpaceArg>,
    tenant_id: TenantArg,
    /// Variables to return: common, project, or all.
    variable_type: VariableType,
    /// Include variables without a value, on the first page.
    #[schemars(extend("default" = false))]
    include_missing_variables: Option<bool>,
    skip: Option<Skip>,
    /// Max items (default and max {take_cap}).
    take: Option<Take>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TenantVariables {
    tenant_id: String,
    tenant_name: String,
    variable_type: VariableType,
    include_missing_variables: bool,
    variables: Vec<TenantVariable>,
    /// Variables without a value; those with a defaultValue use it. Only with
    /// includeMissingVariables, on the first page.
    missing_variables: Option<Vec<TenantVariable>>,
    /// Total number of variables with a value.
    total_results: u32,
    skip: u32,
    take: u32,
    /// The skip of the next page. Absent on the last page.
    next_skip: Option<u32>,
    hint: Option<String>,
    url: String,
}

impl Tool for GetTenantVariables {
    const NAME: &'static str = "get_tenant_variables";
    const TITLE: &'static str = "Get the variables of a tenant";

    type Output = TenantVariables;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let include_missing = self.include_missing_variables == Some(true);
        // Variables are short, so the default is the maximum.
        let take = self.take.unwrap_or(Take(cx.limits.take_cap));
        let window = cx.window(self.skip, Some(take))?;
        let PageRange { skip, take } = window;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let tenant = space.find::<Tenant>(&self.tenant_id).await?;
        let variable_type = self.variable_type;
        let missing = include_missing && skip == 0;
        let requested = PageRequest { window, variable_type, missing };
        let read = scoped_variables(&space, &tenant, variable_type, include_missing).await?;
        let mut part = if let Some(scoped) = read {
            cx.compute().run(move |_| Ok(variables::read_scoped(scoped, requested))).await?
        } else {
            let all = tenants::variables(&space, &tenant.id).await?;
            let read =
                move |budget: &Budget| Ok(variables::read_unscoped(&all, requested, budget)?);
            cx.compute().run(read).await??
        };
        let next = skip.saturating_add(u32::try_from(part.with_value.len()).unwrap_or(u32::MAX));
        let denied = part.remove_denied(cx).await?;
        variables::name_environments(&space, &mut part).await?;
        let VariablesPage {
            with_value: variables,
            total,
            missing: without,
            missing_omitted: missing_more,
        } = part;
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        Ok(TenantVariables {
            url: space.portal().tenant(&tenant.id),
            tenant_id: tenant.id.into_string(),
            hint: hint(&tenant.name, total, skip)
                .into_iter()
                .chain(omitted_hint(missing_more))
                .chain(super::denied_hint(denied))
                .reduce(|all, next| format!("{all}; {next}")),
            tenant_name: tenant.name,
            variable_type: self.variable_type,
            include_missing_variables: include_missing,
            variables,
            missing_variables: missing.then_some(without),
            total_results: total,
            skip,
            take,
            next_skip: (next < total).then_some(next),
        })
    }
}

fn hint(tenant: &str, total: u32, skip: u32) -> Option<String> {
    if total == 0 {
        return Some(format!(
            "'{tenant}' has no value for variables of this type; try another variableType, or \
             includeMissingVariables"
        ));
    }
    (skip >= total)
        .then(|| format!("`skip` is past the end: there are {total}, the first at skip 0"))
}

/// Returns a hint with the number of omitted variables without a value, if any.
fn omitted_hint(missing: usize) -> Option<String> {
    (missing > 0).then(|| format!("missingVariables leaves out {missing} further variables"))
}

/// Reads the variables in the scoped form. Returns `None` if the instance is too old for it.
async fn scoped_variables(
    space: &Space,
    tenant: &Tenant,
    requested: VariableType,
    include_missing: bool,
) -> Result<Option<ScopedVariables>, Error> {
    let read = async |group: VariableGroup, requested: bool| {
        if requested {
            tenants::scoped_variables(space, &tenant.id, group, include_missing).await
        } else {
            Ok(Some(ScopedVariables { variables: Vec::new(), missing_variables: Vec::new() }))
        }
    };
    let (common, project) = futures::try_join!(
        read(VariableGroup::Common, requested != VariableType::Project),
        read(VariableGroup::Project, requested != VariableType::Common),
    )?;
    Ok(common.zip(project).map(|(mut all, project)| {
        all.variables.extend(project.variables);
        all.missing_variables.extend(project.missing_variables);
        all
    }))
}

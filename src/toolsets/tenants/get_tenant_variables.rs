//! `get_tenant_variables`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::variables::{self, TenantVariable};
use crate::{
    octopus::{
        Space,
        tenants::{self, Half, ScopedVariables, Tenant},
    },
    tool::{Context, Error, Tool},
};

/// Get the variables of a tenant with their values: common ones (of library variable sets, shared
/// by projects), those of projects, or all. Sensitive values are never shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetTenantVariables {
    /// The space: its name, slug or ID.
    space: Option<String>,
    /// The tenant: its name, slug or ID.
    tenant_id: String,
    /// Which variables.
    variable_type: VariableType,
    /// Whether to list variables without a value too.
    include_missing_variables: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum VariableType {
    All,
    Common,
    Project,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FoundVariables {
    tenant_id: String,
    tenant_name: String,
    variable_type: VariableType,
    include_missing_variables: bool,
    variables: Vec<TenantVariable>,
    /// Variables that need a value and have none. Only where asked for.
    missing_variables: Option<Vec<TenantVariable>>,
    hint: Option<String>,
    url: String,
}

impl Tool for GetTenantVariables {
    const NAME: &'static str = "get_tenant_variables";
    const TITLE: &'static str = "Get the variables of a tenant";
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("tenant", "tenantId"), ("tenantName", "tenantId")];

    type Output = FoundVariables;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let include_missing = self.include_missing_variables == Some(true);
        let space = cx.space(self.space.as_deref()).await?;
        let tenant = space.find::<Tenant>(&self.tenant_id).await?;
        let (variables, missing) =
            match newer(&space, &tenant, self.variable_type, include_missing).await? {
                Some(ScopedVariables { variables, missing_variables }) => {
                    let missing = variables::scoped(&space, missing_variables).await?;
                    (variables::scoped(&space, variables).await?, missing)
                }
                None => older(&space, &tenant, self.variable_type).await?,
            };
        Ok(FoundVariables {
            url: space.portal().tenant(&tenant.id),
            tenant_id: tenant.id.into_string(),
            hint: variables.is_empty().then(|| {
                format!("'{}' gives no variable of this type a value of its own", tenant.name)
            }),
            tenant_name: tenant.name,
            variable_type: self.variable_type,
            include_missing_variables: include_missing,
            variables,
            missing_variables: include_missing.then_some(missing),
        })
    }
}

/// The shape with scopes. `None`: the instance is too old for it.
async fn newer(
    space: &Space,
    tenant: &Tenant,
    wanted: VariableType,
    include_missing: bool,
) -> Result<Option<ScopedVariables>, Error> {
    let read = async |half: Half, wanted: bool| {
        if wanted {
            tenants::scoped_variables(space, &tenant.id, half, include_missing).await
        } else {
            Ok(Some(ScopedVariables { variables: Vec::new(), missing_variables: Vec::new() }))
        }
    };
    let (common, project) = futures::try_join!(
        read(Half::Common, wanted != VariableType::Project),
        read(Half::Project, wanted != VariableType::Common),
    )?;
    Ok(common.zip(project).map(|(mut all, project)| {
        all.variables.extend(project.variables);
        all.missing_variables.extend(project.missing_variables);
        all
    }))
}

async fn older(
    space: &Space,
    tenant: &Tenant,
    wanted: VariableType,
) -> Result<(Vec<TenantVariable>, Vec<TenantVariable>), Error> {
    let all = tenants::variables(space, &tenant.id).await?;
    let (mut given, mut missing) = variables::unscoped(space, all).await?;
    for variables in [&mut given, &mut missing] {
        variables.retain(|variable| match wanted {
            VariableType::All => true,
            VariableType::Common => variables::is_common(variable),
            VariableType::Project => !variables::is_common(variable),
        });
    }
    Ok((given, missing))
}

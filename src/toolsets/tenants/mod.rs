//! Toolset `tenants`: tenants (customers, regions or sites that projects are deployed for) and
//! their variables.

mod get_missing_tenant_variables;
mod get_tenant_by_id;
mod get_tenant_variables;
mod list_tenants;
mod variable_type;
mod variables;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "tenants",
    summary: "Tenants and their variables",
    paths: &["tenants", "tenantvariables", "tagsets"],
    tools: &[
        Definition::of::<list_tenants::ListTenants>(),
        Definition::of::<get_tenant_by_id::GetTenantById>(),
        Definition::of::<get_tenant_variables::GetTenantVariables>(),
        Definition::of::<get_missing_tenant_variables::GetMissingTenantVariables>(),
    ],
    resources: &[],
};

/// Returns a hint with the number of variables that the policy hides, if any.
fn denied_hint(denied: usize) -> Option<String> {
    let reason = "belong to projects or environments that the policy denies";
    (denied > 0).then(|| format!("{denied} variables are left out because they {reason}"))
}

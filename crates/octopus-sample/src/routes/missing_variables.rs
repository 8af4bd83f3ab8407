//! Missing values of tenant variables.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::database::{Database, Item, Template, TenantValue, templates_of};
use super::super::response::{ApiResponse, ApiResult};

/// A missing value.
pub(super) struct MissingValue<'a> {
    pub(super) template: Template<'a>,
    /// Environment of a project variable; `None` for common variables.
    pub(super) environment_id: Option<&'a str>,
}

/// Answers `/tenants/variables-missing`: a bare array of the tenants with missing values.
pub(super) fn answer(call: &Call<'_>) -> ApiResult {
    call.require("VariableView")?;
    let details = call.query.switch("includeDetails") == Some(true);
    let space = call.space_id();
    let tenants = call.database.tenants.of_space(space).filter(|t| call.one_of("tenantId", &t.id));
    let rows = tenants.filter_map(|tenant| {
        let lacking: Vec<MissingValue<'_>> = of_tenant(call.database, tenant)
            .into_iter()
            .filter(|lacking| asked_for(call, tenant, lacking))
            .collect();
        let links = json!({ "Self": format!("/api/{space}/tenants/{}", tenant.id) });
        let shown = lacking.iter().map(|lacking| shown(space, tenant, lacking)).collect::<Vec<_>>();
        (!lacking.is_empty()).then(|| {
            if details {
                json!({ "TenantId": tenant.id, "MissingVariables": shown, "Links": links })
            } else {
                json!({ "TenantId": tenant.id, "Links": links })
            }
        })
    });
    Ok(ApiResponse::value(&Value::Array(rows.collect())))
}

/// Returns the missing values of a tenant: neither the tenant nor the template has a value.
fn of_tenant<'a>(database: &'a Database, tenant: &'a Item) -> Vec<MissingValue<'a>> {
    let mut lacking = without_own_value(database, tenant);
    lacking.retain(|lacking| !lacking.template.has_default());
    lacking
}

/// Returns the variables without a value of the tenant, with or without a default.
pub(super) fn without_own_value<'a>(
    database: &'a Database,
    tenant: &'a Item,
) -> Vec<MissingValue<'a>> {
    let mut lacking = Vec::new();
    for (project, environments) in connections(database, tenant) {
        for environment in environments {
            let without = templates_of(project)
                .filter(|template| value(database, tenant, template, Some(environment)).is_none());
            lacking.extend(
                without
                    .map(|template| MissingValue { template, environment_id: Some(environment) }),
            );
        }
    }
    for set in library_sets(database, tenant) {
        let without =
            templates_of(set).filter(|template| value(database, tenant, template, None).is_none());
        lacking.extend(without.map(|template| MissingValue { template, environment_id: None }));
    }
    lacking
}

/// Returns the projects that a tenant is connected to, with the IDs of the environments.
pub(super) fn connections<'a>(
    database: &'a Database,
    tenant: &'a Item,
) -> impl Iterator<Item = (&'a Item, Vec<&'a str>)> {
    let map = tenant.body.get("ProjectEnvironments").and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(project, environments)| {
        let ids = environments.as_array()?.iter().filter_map(Value::as_str).collect();
        Some((database.projects.find(project)?, ids))
    })
}

/// Returns the library variable sets with templates that projects of a tenant include.
pub(super) fn library_sets<'a>(database: &'a Database, tenant: &'a Item) -> Vec<&'a Item> {
    let included: Vec<&str> = connections(database, tenant)
        .flat_map(|(project, _)| project.texts("IncludedLibraryVariableSetIds"))
        .collect();
    let sets = database.library_variable_sets.of_space(&tenant.space_id);
    sets.filter(|set| included.contains(&set.id.as_str()) && templates_of(set).next().is_some())
        .collect()
}

/// Returns the value of a tenant for a template.
pub(super) fn value<'a>(
    database: &'a Database,
    tenant: &Item,
    template: &Template<'_>,
    environment: Option<&str>,
) -> Option<&'a TenantValue> {
    let id = template.text("Id");
    database.tenant_values.iter().find(|value| {
        value.tenant_id == tenant.id
            && value.template_id == id
            && value.environment_id.as_deref() == environment
    })
}

fn asked_for(call: &Call<'_>, tenant: &Item, lacking: &MissingValue<'_>) -> bool {
    let query = &call.query;
    let of_environment = query.text("environmentId").is_none()
        || lacking.environment_id.is_none_or(|id| call.one_of("environmentId", id));
    let owner = lacking.template.owner;
    // A common variable counts for every project that includes its set.
    let of_project = query.text("projectId").is_none_or(|project| {
        owner.id.eq_ignore_ascii_case(project)
            || connections(call.database, tenant).any(|(connected, _)| {
                connected.id.eq_ignore_ascii_case(project)
                    && connected.texts("IncludedLibraryVariableSetIds").any(|set| set == owner.id)
            })
    });
    of_environment && of_project
}

fn shown(space: &str, tenant: &Item, lacking: &MissingValue<'_>) -> Value {
    let owner = &lacking.template.owner.id;
    let is_common = lacking.environment_id.is_none();
    json!({
        "EnvironmentId": lacking.environment_id,
        "ProjectId": (!is_common).then_some(owner),
        "LibraryVariableSetId": is_common.then_some(owner),
        "VariableTemplateId": lacking.template.text("Id"),
        "VariableTemplateName": lacking.template.text("Name"),
        "Links": { "Self": format!("/api/{space}/tenants/{}/variables", tenant.id) },
    })
}

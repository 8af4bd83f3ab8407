//! Tenant variables, in the old format and in the scoped format.

use serde_json::{Map, Value, json};

use super::super::call::Call;
use super::super::database::{Item, TenantValue, templates_of};
use super::super::random::token;
use super::super::response::{ApiResponse, ApiResult};
use super::missing_variables::{MissingValue, connections, library_sets, value, without_own_value};

/// Answers `/tenants/{id}/variables`, in the old format.
pub(super) fn of_one(call: &Call<'_>, tenant: &Item) -> ApiResult {
    call.require("VariableView")?;
    Ok(ApiResponse::value(&all_values(call, tenant)))
}

/// Answers `/tenantvariables/all`: the old format for all tenants, or for those of a project.
pub(super) fn of_all(call: &Call<'_>) -> ApiResult {
    call.require("TenantView")?;
    call.require("VariableView")?;
    let tenants = call.database.tenants.of_space(call.space_id()).filter(|tenant| {
        call.query.text("projectId").is_none_or(|id| {
            connections(call.database, tenant)
                .any(|(project, _)| project.id.eq_ignore_ascii_case(id))
        })
    });
    Ok(ApiResponse::value(&Value::Array(tenants.map(|tenant| all_values(call, tenant)).collect())))
}

/// Answers `/tenants/{id}/commonvariables`.
pub(super) fn common(call: &Call<'_>, tenant: &Item) -> ApiResult {
    scoped(call, tenant, true)
}

/// Answers `/tenants/{id}/projectvariables`.
pub(super) fn of_projects(call: &Call<'_>, tenant: &Item) -> ApiResult {
    scoped(call, tenant, false)
}

fn scoped(call: &Call<'_>, tenant: &Item, is_common: bool) -> ApiResult {
    call.require("VariableView")?;
    let database = call.database;
    let owners: Vec<&Item> = if is_common {
        library_sets(database, tenant)
    } else {
        connections(database, tenant).map(|(project, _)| project).collect()
    };
    let values = database.tenant_values.iter().filter(|value| value.tenant_id == tenant.id);
    let variables = values.filter_map(|value| {
        let owner_id = value.library_variable_set_id.as_ref().or(value.project_id.as_ref())?;
        let owner = owners.iter().find(|owner| owner.id == *owner_id)?;
        let template =
            templates_of(owner).find(|template| template.text("Id") == value.template_id)?;
        let missing = MissingValue { template, environment_id: value.environment_id.as_deref() };
        Some(entry(&missing, Some(value)))
    });
    let mut body = json!({ "TenantId": tenant.id, "Variables": variables.collect::<Vec<_>>() });
    if call.query.switch("includeMissingVariables") == Some(true) {
        let lacking = without_own_value(database, tenant);
        let kind = lacking.iter().filter(|lacking| lacking.environment_id.is_none() == is_common);
        let entries = kind.map(|lacking| entry(lacking, None)).collect();
        if let Some(body) = body.as_object_mut() {
            body.insert("MissingVariables".to_owned(), Value::Array(entries));
        }
    }
    Ok(ApiResponse::value(&body))
}

/// Returns a variable in the scoped format. Missing values have no ID, and their value is the
/// default of the template.
fn entry(variable: &MissingValue<'_>, value: Option<&TenantValue>) -> Value {
    let template = variable.template;
    let prefix = if variable.environment_id.is_none() { "LibraryVariableSet" } else { "Project" };
    let environments: Vec<&str> = variable.environment_id.into_iter().collect();
    let default = template.body.get("DefaultValue");
    let mut entry = Map::new();
    let mut add = |key: String, value: Value| entry.insert(key, value);
    if let Some(value) = value {
        add("Id".to_owned(), json!(value.id));
    }
    add(format!("{prefix}Id"), json!(template.owner.id));
    add(format!("{prefix}Name"), json!(template.owner.text("Name")));
    add("TemplateId".to_owned(), json!(template.text("Id")));
    add("Template".to_owned(), template.body.clone());
    add(
        "Value".to_owned(),
        value.map_or_else(|| default.cloned().unwrap_or_default(), TenantValue::shown),
    );
    add("Scope".to_owned(), json!({ "EnvironmentIds": environments }));
    Value::Object(entry)
}

fn all_values(call: &Call<'_>, tenant: &Item) -> Value {
    let database = call.database;
    let space = &tenant.space_id;
    let values = |owner: &Item, environment: Option<&str>| {
        let values = templates_of(owner).filter_map(|template| {
            let value = value(database, tenant, &template, environment)?;
            Some((template.text("Id").to_owned(), value.shown()))
        });
        Value::Object(values.collect())
    };
    let projects = connections(database, tenant).map(|(project, environments)| {
        let id = &project.id;
        let by_environment = environments
            .into_iter()
            .map(|environment| (environment.to_owned(), values(project, Some(environment))));
        let body = json!({
            "ProjectId": id, "ProjectName": project.text("Name"),
            "Templates": project.body.get("Templates"),
            "Variables": by_environment.collect::<Map<_, _>>(),
            "Links": { "Self": format!("/api/{space}/projects/{id}") },
        });
        (id.clone(), body)
    });
    let sets = library_sets(database, tenant).into_iter().map(|set| {
        let id = &set.id;
        let body = json!({
            "LibraryVariableSetId": id, "LibraryVariableSetName": set.text("Name"),
            "Templates": set.body.get("Templates"),
            "Variables": values(set, None),
            "Links": { "Self": format!("/api/{space}/libraryvariablesets/{id}") },
        });
        (id.clone(), body)
    });
    json!({
        "TenantId": tenant.id,
        "TenantName": tenant.text("Name"),
        "SpaceId": space,
        "ProjectVariables": projects.collect::<Map<_, _>>(),
        "LibraryVariables": sets.collect::<Map<_, _>>(),
        "ConcurrencyToken": format!("v3-{}", token(&tenant.id, 12)),
        "Links": { "Self": format!("/api/{space}/tenants/{}/variables", tenant.id) },
    })
}

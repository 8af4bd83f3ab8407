//! Which tenants lack a value, and for what.

use serde_json::{Value, json};

use super::super::answer::{Answer, Answered};
use super::super::call::Call;
use super::super::world::{Item, Template, TenantValue, World, templates_of};

/// A value a tenant lacks.
pub(super) struct Missing<'a> {
    pub(super) template: Template<'a>,
    /// The environment, for variables of projects; common ones have none.
    pub(super) environment_id: Option<&'a str>,
}

/// `/tenants/variables-missing`: a bare array of the tenants that lack something.
pub(super) fn answer(call: &Call<'_>) -> Answered {
    call.need("VariableView")?;
    let details = call.query.switch("includeDetails") == Some(true);
    let space = call.space_id();
    let tenants = call.world.tenants.of_space(space).filter(|t| call.one_of("tenantId", &t.id));
    let rows = tenants.filter_map(|tenant| {
        let lacking: Vec<Missing<'_>> = of_tenant(call.world, tenant)
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
    Ok(Answer::value(&Value::Array(rows.collect())))
}

/// Everything a tenant lacks: no value, and no default of the template either.
pub(super) fn of_tenant<'a>(world: &'a World, tenant: &'a Item) -> Vec<Missing<'a>> {
    let mut lacking = Vec::new();
    for (project, environments) in connections(world, tenant) {
        for environment in environments {
            let templates = templates_of(project).filter(|template| !template.has_default());
            let without = templates
                .filter(|template| value(world, tenant, template, Some(environment)).is_none());
            lacking.extend(
                without.map(|template| Missing { template, environment_id: Some(environment) }),
            );
        }
    }
    for set in library_sets(world, tenant) {
        let templates = templates_of(set).filter(|template| !template.has_default());
        let without = templates.filter(|template| value(world, tenant, template, None).is_none());
        lacking.extend(without.map(|template| Missing { template, environment_id: None }));
    }
    lacking
}

/// The projects a tenant is connected to, each with the IDs of its environments.
pub(super) fn connections<'a>(
    world: &'a World,
    tenant: &'a Item,
) -> impl Iterator<Item = (&'a Item, Vec<&'a str>)> {
    let map = tenant.body.get("ProjectEnvironments").and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(project, environments)| {
        let ids = environments.as_array()?.iter().filter_map(Value::as_str).collect();
        Some((world.projects.find(project)?, ids))
    })
}

/// The library variable sets with templates that the projects of a tenant include.
pub(super) fn library_sets<'a>(world: &'a World, tenant: &'a Item) -> Vec<&'a Item> {
    let included: Vec<&str> = connections(world, tenant)
        .flat_map(|(project, _)| project.texts("IncludedLibraryVariableSetIds"))
        .collect();
    let sets = world.library_variable_sets.of_space(&tenant.space_id);
    sets.filter(|set| included.contains(&set.id.as_str()) && templates_of(set).next().is_some())
        .collect()
}

/// The value of a tenant for a template.
pub(super) fn value<'a>(
    world: &'a World,
    tenant: &Item,
    template: &Template<'_>,
    environment: Option<&str>,
) -> Option<&'a TenantValue> {
    let id = template.text("Id");
    world.tenant_values.iter().find(|value| {
        value.tenant_id == tenant.id
            && value.template_id == id
            && value.environment_id.as_deref() == environment
    })
}

fn asked_for(call: &Call<'_>, tenant: &Item, lacking: &Missing<'_>) -> bool {
    let query = &call.query;
    let of_environment = query.text("environmentId").is_none()
        || lacking.environment_id.is_none_or(|id| call.one_of("environmentId", id));
    let owner = lacking.template.owner;
    // A common variable counts for every project that includes its set.
    let of_project = query.text("projectId").is_none_or(|project| {
        owner.id.eq_ignore_ascii_case(project)
            || connections(call.world, tenant).any(|(connected, _)| {
                connected.id.eq_ignore_ascii_case(project)
                    && connected.texts("IncludedLibraryVariableSetIds").any(|set| set == owner.id)
            })
    });
    of_environment && of_project
}

fn shown(space: &str, tenant: &Item, lacking: &Missing<'_>) -> Value {
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

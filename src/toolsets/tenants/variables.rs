//! A tenant's variable as the tools show it, whichever of Octopus's shapes it came in.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    octopus::{
        Error, Id, Space,
        environments::Environment,
        tenants::{ScopedVariable, Template, Variables},
    },
    tool::{Names, Ref},
};

/// A variable that a tenant gives a value, or should.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TenantVariable {
    /// `common` for one of a library variable set, `project` for one of a project.
    kind: &'static str,
    name: Option<String>,
    label: Option<String>,
    /// Absent where it is sensitive or missing.
    value: Option<Value>,
    /// What stands where the tenant gives no value.
    default_value: Option<Value>,
    /// Whether Octopus keeps the value to itself.
    is_sensitive: bool,
    template_id: Option<String>,
    project_id: Option<String>,
    project_name: Option<String>,
    library_variable_set_id: Option<String>,
    library_variable_set_name: Option<String>,
    /// The environments that the value is for. Empty: all.
    environments: Vec<Ref>,
}

const COMMON: &str = "common";
const PROJECT: &str = "project";

/// Octopus sends `{HasValue, NewValue, Hint}` in the place of a sensitive value.
fn split(value: Option<Value>) -> (Option<Value>, bool) {
    match value {
        Some(Value::Object(object)) if object.contains_key("HasValue") => (None, true),
        value => (value, false),
    }
}

/// Variables in the newer shape, with the names of their environments.
pub(super) async fn scoped(
    space: &Space,
    variables: Vec<ScopedVariable>,
) -> Result<Vec<TenantVariable>, Error> {
    let ids = |variable: &ScopedVariable| {
        variable.scope.as_ref().map(|scope| scope.environment_ids.clone()).unwrap_or_default()
    };
    let everywhere: Vec<Id<Environment>> = variables.iter().flat_map(ids).collect();
    let names = Names::of::<Environment>(space, &everywhere).await?;
    let shown = variables.into_iter().map(|variable| {
        let environments = ids(&variable).iter().map(|id| names.with(id)).collect();
        let template = variable.template;
        let (value, is_sensitive) = split(variable.value);
        let (default_value, default_is_sensitive) =
            split(template.as_ref().and_then(|template| template.default_value.clone()));
        TenantVariable {
            kind: if variable.project_id.is_some() { PROJECT } else { COMMON },
            name: template.as_ref().and_then(|template| template.name.clone()),
            label: template.as_ref().and_then(|template| template.label.clone()),
            value,
            default_value,
            is_sensitive: is_sensitive || default_is_sensitive,
            template_id: variable.template_id,
            project_id: variable.project_id,
            project_name: variable.project_name,
            library_variable_set_id: variable.library_variable_set_id,
            library_variable_set_name: variable.library_variable_set_name,
            environments,
        }
    });
    Ok(shown.collect())
}

/// Variables in the older shape: those with a value, and those without one.
pub(super) async fn unscoped(
    space: &Space,
    variables: Variables,
) -> Result<(Vec<TenantVariable>, Vec<TenantVariable>), Error> {
    let everywhere: Vec<Id<Environment>> = variables
        .project_variables
        .values()
        .flat_map(|project| project.variables.keys())
        .filter_map(|id| Id::parse(id).ok())
        .collect();
    let names = Names::of::<Environment>(space, &everywhere).await?;
    let mut given = Vec::new();
    let mut missing = Vec::new();
    let mut add = |variable: TenantVariable| {
        let has_value =
            variable.value.is_some() || variable.default_value.is_some() || variable.is_sensitive;
        if has_value { given.push(variable) } else { missing.push(variable) }
    };
    for (set_id, set) in variables.library_variables {
        for template in set.templates {
            let mut variable = from_template(COMMON, template, &set.variables);
            variable.library_variable_set_id = Some(set_id.clone());
            variable.library_variable_set_name.clone_from(&set.library_variable_set_name);
            add(variable);
        }
    }
    for (project_id, project) in variables.project_variables {
        for (environment, values) in &project.variables {
            for template in &project.templates {
                let mut variable = from_template(PROJECT, template.clone(), values);
                variable.project_id = Some(project_id.clone());
                variable.project_name.clone_from(&project.project_name);
                variable.environments =
                    vec![Ref { id: environment.clone(), name: names.get(environment) }];
                add(variable);
            }
        }
    }
    Ok((given, missing))
}

fn from_template(
    kind: &'static str,
    template: Template,
    values: &BTreeMap<String, Value>,
) -> TenantVariable {
    let (value, is_sensitive) = split(values.get(&template.id).cloned());
    let (default_value, default_is_sensitive) = split(template.default_value);
    let is_text = |value: &Value| value.as_str().is_none_or(|text| !text.is_empty());
    TenantVariable {
        kind,
        name: template.name,
        label: template.label,
        value,
        default_value: default_value.filter(is_text),
        is_sensitive: is_sensitive || default_is_sensitive,
        template_id: Some(template.id),
        project_id: None,
        project_name: None,
        library_variable_set_id: None,
        library_variable_set_name: None,
        environments: Vec::new(),
    }
}

/// Whether the variable is of the half that is asked for.
pub(super) fn is_common(variable: &TenantVariable) -> bool {
    variable.kind == COMMON
}

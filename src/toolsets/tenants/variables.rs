//! A tenant's variable as the tools show it, whichever of Octopus's shapes it came in.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    octopus::{
        Error, Id, Space,
        environments::Environment,
        tenants::{ScopedVariable, ScopedVariables, Template, Variables},
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
    /// Whether the tenant gives it a value of its own.
    has_value: bool,
    /// The value of its own. Absent where it is sensitive.
    value: Option<Value>,
    /// What counts where the tenant gives no value of its own.
    default_value: Option<Value>,
    #[serde(skip)]
    has_default: bool,
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

/// Whether there is a value. Octopus sends `{HasValue, NewValue, Hint}` in the place of a sensitive
/// one.
fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(object) => object.get("HasValue").is_none_or(|has| *has == true),
        _ => true,
    }
}

fn is_kept_back(value: &Value) -> bool {
    value.get("HasValue").is_some()
}

/// Variables in the newer shape, those with a value and those without, with the names of their
/// environments.
pub(super) async fn scoped(
    space: &Space,
    ScopedVariables { variables, missing_variables }: ScopedVariables,
) -> Result<(Vec<TenantVariable>, Vec<TenantVariable>), Error> {
    let all = variables.iter().chain(&missing_variables);
    let names = Names::of::<Environment>(space, all.flat_map(environments)).await?;
    let show = |variables: Vec<ScopedVariable>| {
        variables.into_iter().map(|variable| from_scoped(variable, &names)).collect()
    };
    Ok((show(variables), show(missing_variables)))
}

fn environments(variable: &ScopedVariable) -> &[Id<Environment>] {
    variable.scope.as_ref().map(|scope| scope.environment_ids.as_slice()).unwrap_or_default()
}

fn from_scoped(variable: ScopedVariable, names: &Names) -> TenantVariable {
    let environments = environments(&variable).iter().map(|id| names.with(id)).collect();
    let template = variable.template.unwrap_or_default();
    let kind = if variable.project_id.is_some() { PROJECT } else { COMMON };
    TenantVariable {
        template_id: variable.template_id,
        project_id: variable.project_id,
        project_name: variable.project_name,
        library_variable_set_id: variable.library_variable_set_id,
        library_variable_set_name: variable.library_variable_set_name,
        environments,
        ..from_template(kind, template, variable.value)
    }
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
        if variable.has_value || variable.has_default {
            given.push(variable);
        } else {
            missing.push(variable);
        }
    };
    for (set_id, set) in variables.library_variables {
        for template in set.templates {
            let mut variable = from_template_of(COMMON, template, &set.variables);
            variable.library_variable_set_id = Some(set_id.clone());
            variable.library_variable_set_name.clone_from(&set.library_variable_set_name);
            add(variable);
        }
    }
    for (project_id, project) in variables.project_variables {
        for (environment, values) in &project.variables {
            for template in &project.templates {
                let mut variable = from_template_of(PROJECT, template.clone(), values);
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

fn from_template_of(
    kind: &'static str,
    template: Template,
    values: &BTreeMap<String, Value>,
) -> TenantVariable {
    let value = template.id.as_ref().and_then(|id| values.get(id)).cloned();
    from_template(kind, template, value)
}

fn from_template(kind: &'static str, template: Template, value: Option<Value>) -> TenantVariable {
    let default = template.default_value.as_ref();
    let is_sensitive = template.is_sensitive()
        || value.as_ref().is_some_and(is_kept_back)
        || default.is_some_and(is_kept_back);
    let shown = |value: &Value| !is_sensitive && is_given(value);
    TenantVariable {
        kind,
        has_value: value.as_ref().is_some_and(is_given),
        has_default: default.is_some_and(is_given),
        value: value.filter(shown),
        default_value: template.default_value.filter(shown),
        is_sensitive,
        name: template.name,
        label: template.label,
        template_id: template.id,
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

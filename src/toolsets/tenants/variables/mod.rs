//! Reads the variables of a tenant into one form, from the scoped and the unscoped response of
//! Octopus.

mod page;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use self::page::PageBuilder;
pub(super) use self::page::{PageRequest, VariablesPage, owner_fields};
use super::variable_type::VariableType;
use crate::{
    compute::{Budget, JobStopped},
    octopus::{
        Error, Id, Space,
        environments::Environment,
        tenants::{ScopedVariable, ScopedVariables, Template, Variables},
    },
    text::step_counter,
    tool::{self, NamedId, NamesById},
};

/// A variable of a tenant in an answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TenantVariable {
    /// common (of a library variable set) or project.
    kind: &'static str,
    name: Option<String>,
    label: Option<String>,
    /// Whether the tenant has its own value.
    has_value: bool,
    /// The value of the tenant. Absent if it is sensitive.
    value: Option<Value>,
    /// Default of the template, used if the tenant has no value.
    default_value: Option<Value>,
    /// Whether Octopus hides the value.
    is_sensitive: bool,
    template_id: Option<String>,
    project_id: Option<String>,
    project_name: Option<String>,
    library_variable_set_id: Option<String>,
    library_variable_set_name: Option<String>,
    /// Environments of the value. Empty means all.
    environments: Vec<NamedId>,
}

const COMMON: &str = "common";
const PROJECT: &str = "project";
/// Maximum number of combinations of environments and templates.
const MAX_COMBINATIONS: usize = 1_000_000;

/// Returns whether a value is set. For a sensitive value, Octopus returns `{HasValue, NewValue,
/// Hint}`.
fn is_value_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(object) => object.get("HasValue").is_none_or(|has| *has == true),
        _ => true,
    }
}

fn is_sensitive_value(value: &Value) -> bool {
    value.get("HasValue").is_some()
}

/// Returns the value of the form `{IsSensitive, Value, SensitiveValue}`, which the reference of
/// Octopus 2026.3 shows. Values of other forms are returned unchanged.
fn unwrapped(value: Value) -> Value {
    match value {
        Value::Object(mut wrapped) if wrapped.contains_key("IsSensitive") => {
            let is_sensitive = wrapped.get("IsSensitive") == Some(&Value::Bool(true));
            let key = if is_sensitive { "SensitiveValue" } else { "Value" };
            match wrapped.remove(key) {
                Some(value) if !is_sensitive || is_sensitive_value(&value) => value,
                // The text of a sensitive value is never kept.
                Some(value) if is_sensitive => {
                    json!({ "HasValue": is_value_set(&value) })
                }
                _ => Value::Null,
            }
        }
        value => value,
    }
}

/// Maximum number of environments whose names are looked up.
const MAX_NAMED_ENVIRONMENTS: usize = 1_000;

/// Adds the names of environments to the variables of a page.
pub(super) async fn name_environments(
    space: &Space,
    part: &mut VariablesPage,
) -> Result<(), Error> {
    let all = part.with_value.iter_mut().chain(&mut part.missing);
    let mut named: Vec<&mut NamedId> =
        all.flat_map(|variable| &mut variable.environments).collect();
    let ids: BTreeSet<&str> = named.iter().map(|environment| environment.id.as_str()).collect();
    let ids: Vec<Id<Environment>> =
        ids.into_iter().filter_map(|id| Id::parse(id).ok()).take(MAX_NAMED_ENVIRONMENTS).collect();
    let names = NamesById::lookup::<Environment>(space, &ids).await?;
    for environment in &mut named {
        environment.name = names.get(&environment.id);
    }
    Ok(())
}

/// Reads a page from the scoped form of the variables (newer versions of Octopus).
pub(super) fn read_scoped(scoped: ScopedVariables, requested: PageRequest) -> VariablesPage {
    let mut reader = PageBuilder::new(requested);
    for variable in scoped.variables {
        reader.add_with_value(|| from_scoped(variable));
    }
    for variable in scoped.missing_variables {
        reader.add_missing(|| from_scoped(variable).into_missing());
    }
    reader.part
}

impl TenantVariable {
    /// Removes the value of a variable that Octopus reports as missing. Octopus reports the default
    /// of its template as the value.
    fn into_missing(mut self) -> Self {
        let reported = self.value.take();
        Self { has_value: false, default_value: self.default_value.or(reported), ..self }
    }
}

fn environments(variable: &ScopedVariable) -> &[Id<Environment>] {
    variable.scope.as_ref().map(|scope| scope.environment_ids.as_slice()).unwrap_or_default()
}

fn from_scoped(variable: ScopedVariable) -> TenantVariable {
    let unnamed = |id: &Id<Environment>| NamedId { id: id.to_string(), name: None };
    let environments = environments(&variable).iter().map(unnamed).collect();
    let template = variable.template.unwrap_or_default();
    let kind = if variable.project_id.is_some() { PROJECT } else { COMMON };
    TenantVariable {
        template_id: variable.template_id,
        project_id: variable.project_id,
        project_name: variable.project_name,
        library_variable_set_id: variable.library_variable_set_id,
        library_variable_set_name: variable.library_variable_set_name,
        environments,
        ..from_template(kind, template, variable.value.map(unwrapped))
    }
}

/// Reads a page from the unscoped form of the variables (older versions of Octopus).
///
/// # Errors
///
/// Returns [`TooMany`] for more than [`MAX_COMBINATIONS`] variables, and [`JobStopped`] if the
/// compute budget is spent.
pub(super) fn read_unscoped(
    variables: &Variables,
    requested: PageRequest,
    budget: &Budget,
) -> Result<Result<VariablesPage, TooMany>, JobStopped> {
    let mut reader = PageBuilder::new(requested);
    let mut counted = 0_usize;
    if requested.variable_type != VariableType::Project {
        for (set_id, set) in &variables.library_variables {
            for template in &set.templates {
                add_template(&mut reader, COMMON, template, &set.variables, |variable| {
                    variable.library_variable_set_id = Some(set_id.clone());
                    variable.library_variable_set_name.clone_from(&set.library_variable_set_name);
                });
            }
        }
    }
    if requested.variable_type == VariableType::Common {
        return Ok(Ok(reader.part));
    }
    for (project_id, project) in &variables.project_variables {
        for (environment, values) in &project.variables {
            budget.check()?;
            counted = counted.saturating_add(project.templates.len());
            if counted > MAX_COMBINATIONS {
                return Ok(Err(TooMany));
            }
            for template in &project.templates {
                add_template(&mut reader, PROJECT, template, values, |variable| {
                    variable.project_id = Some(project_id.clone());
                    variable.project_name.clone_from(&project.project_name);
                    variable.environments = vec![NamedId { id: environment.clone(), name: None }];
                });
            }
        }
    }
    Ok(Ok(reader.part))
}

/// The tenant has too many variables to count.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

impl From<TooMany> for tool::Error {
    fn from(_: TooMany) -> Self {
        Self::Invalid(format!(
            "the tenant has more than {MAX_COMBINATIONS} project variables, one for each template \
             and environment; use variableType `common`, or see the tenant in the web portal"
        ))
    }
}

fn add_template(
    reader: &mut PageBuilder,
    kind: &'static str,
    template: &Template,
    values: &BTreeMap<String, Value>,
    place: impl FnOnce(&mut TenantVariable),
) {
    step_counter::add(1);
    let value = template.id.as_ref().and_then(|id| values.get(id));
    let is_filled =
        [value, template.default_value.as_ref()].into_iter().flatten().any(is_value_set);
    let make = || {
        let mut variable = from_template(kind, template.clone(), value.cloned());
        place(&mut variable);
        variable
    };
    if is_filled { reader.add_with_value(make) } else { reader.add_missing(make) }
}

fn from_template(kind: &'static str, template: Template, value: Option<Value>) -> TenantVariable {
    let default = template.default_value.as_ref();
    let is_sensitive = template.is_sensitive()
        || value.as_ref().is_some_and(is_sensitive_value)
        || default.is_some_and(is_sensitive_value);
    let shown = |value: &Value| !is_sensitive && is_value_set(value);
    TenantVariable {
        kind,
        has_value: value.as_ref().is_some_and(is_value_set),
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

//! Variable sets in the form of the answer, and their truncation to the answer size.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    octopus::{
        Id, document,
        library_variable_sets::LibraryVariableSet,
        variables::{ScopeValues, Variable, VariableSet},
    },
    sanitize::sanitize,
    text::truncate,
    tool::{Context, Error, NamedId},
};

/// A variable set in an answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct VariableSetSummary {
    id: String,
    owner_id: Option<String>,
    space_id: Option<String>,
    version: Option<i64>,
    pub(super) variables: Vec<VariableSummary>,
}

/// A variable in an answer. Sensitive variables have no value.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct VariableSummary {
    id: Option<String>,
    name: String,
    value: Option<String>,
    description: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    is_sensitive: bool,
    is_editable: Option<bool>,
    /// Settings of the prompt, if the value is entered when a deployment starts.
    prompt: Option<Value>,
    /// Documents that the value is scoped to, by kind, e.g. environment. Empty means everywhere.
    scope: BTreeMap<String, Vec<NamedId>>,
}

/// A library variable set that a project includes.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct IncludedLibrarySet {
    /// Absent if this user may not see the set.
    pub(super) variable_set: Option<VariableSetSummary>,
    library_variable_set: LibrarySetSummary,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LibrarySetSummary {
    id: String,
    name: Option<String>,
    description: Option<String>,
    variable_set_id: Option<String>,
    /// Variables or ScriptModule.
    content_type: Option<String>,
    /// Variable templates, for which tenants provide values.
    templates: Option<Vec<Value>>,
    version: Option<i64>,
}

/// Kinds of scopes, and the key of the list with their names.
const SCOPE_LISTS: &[(&str, &str)] = &[
    ("Environment", "Environments"),
    ("Machine", "Machines"),
    ("Action", "Actions"),
    ("Channel", "Channels"),
    ("ProcessOwner", "Processes"),
];

impl VariableSetSummary {
    /// Creates the answer form of a set, with the variables whose names contain `part`.
    pub(super) fn of(set: VariableSet, part: Option<&str>) -> Self {
        let VariableSet { id, space_id, owner_id, version, variables, scope_values } = set;
        let names = scope_names(&scope_values);
        let variables = variables
            .into_iter()
            .filter(|variable| name_contains(&variable.name, part))
            .map(|variable| variable_summary(variable, &names))
            .collect();
        Self { id: id.into_string(), owner_id, space_id, version, variables }
    }
}

impl VariableSetSummary {
    /// Removes the variables whose scope the policy denies to read. Returns their number.
    pub(super) async fn remove_denied(&mut self, cx: &Context) -> Result<usize, Error> {
        if !cx.policy.has_read_rules() {
            return Ok(0);
        }
        let scope_document = |variable: &VariableSummary| {
            let kinds = [
                ("environment", "EnvironmentIds"),
                ("tenant", "TenantIds"),
                ("machine", "MachineIds"),
            ];
            let of = |(kind, key): (&str, &str)| {
                let ids: Vec<Value> =
                    variable.scope.get(kind)?.iter().map(|entry| entry.id.clone().into()).collect();
                Some((key.to_owned(), Value::Array(ids)))
            };
            kinds.into_iter().filter_map(of).collect::<Map<_, _>>()
        };
        let scopes = self.variables.iter().map(scope_document).collect();
        let mut readable = cx.readable_documents(&Arc::new(scopes)).await?.into_iter();
        let before = self.variables.len();
        self.variables.retain(|_| readable.next() == Some(true));
        Ok(before - self.variables.len())
    }
}

impl IncludedLibrarySet {
    /// Creates the answer form of an included set. `library` is `None` if the caller cannot see it.
    pub(super) fn of(
        id: &Id<LibraryVariableSet>,
        library: Option<LibraryVariableSet>,
        variable_set: Option<VariableSetSummary>,
        part: Option<&str>,
    ) -> Self {
        let Some(library) = library else {
            let library_variable_set = LibrarySetSummary {
                id: id.to_string(),
                name: None,
                description: None,
                variable_set_id: None,
                content_type: None,
                templates: None,
                version: None,
            };
            return Self { variable_set, library_variable_set };
        };
        let is_match = |template: &Value| {
            name_contains(template.get("Name").and_then(Value::as_str).unwrap_or_default(), part)
        };
        let templates: Vec<Value> =
            library.templates.into_iter().filter(is_match).map(document::to_answer_form).collect();
        let library_variable_set = LibrarySetSummary {
            id: library.id.into_string(),
            name: Some(library.name),
            description: library.description.filter(|text| !text.is_empty()),
            variable_set_id: library.variable_set_id.map(Id::into_string),
            content_type: library.content_type,
            templates: (!templates.is_empty()).then_some(templates),
            version: library.version,
        };
        Self { variable_set, library_variable_set }
    }

    /// Returns whether the set has no variable and no template left.
    pub(super) fn is_empty(&self) -> bool {
        self.variable_set.as_ref().is_none_or(|set| set.variables.is_empty())
            && self.library_variable_set.templates.is_none()
    }
}

fn name_contains(name: &str, part: Option<&str>) -> bool {
    part.is_none_or(|part| name.to_lowercase().contains(&part.trim().to_lowercase()))
}

/// Names of scopes by kind and ID.
type ScopeNameMap<'a> = HashMap<(&'a str, &'a str), &'a str>;

fn scope_names(values: &ScopeValues) -> ScopeNameMap<'_> {
    let lists = SCOPE_LISTS.iter().filter_map(|(kind, list)| Some((*kind, values.get(*list)?)));
    let named = lists.flat_map(|(kind, list)| {
        list.iter().filter_map(move |value| Some(((kind, &*value.id), value.name.as_deref()?)))
    });
    named.collect()
}

fn variable_summary(variable: Variable, names: &ScopeNameMap<'_>) -> VariableSummary {
    let scope = variable.scope.into_iter().map(|(kind, ids)| {
        let name = |id: &str| names.get(&(&*kind, id)).map(|name| (*name).to_owned());
        let documents = ids.into_iter().map(|id| NamedId { name: name(&id), id }).collect();
        let mut letters = kind.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        (first.into_iter().chain(letters).collect(), documents)
    });
    let is_sensitive = variable.is_sensitive || variable.kind.as_deref() == Some("Sensitive");
    VariableSummary {
        id: variable.id,
        name: variable.name,
        value: variable.value.filter(|_| !is_sensitive),
        description: variable.description.filter(|text| !text.is_empty()),
        kind: variable.kind,
        is_sensitive,
        is_editable: variable.is_editable,
        prompt: variable.prompt.map(document::to_answer_form),
        scope: scope.collect(),
    }
}

/// Maximum bytes of a value if the variables do not fit into the answer.
const SHORTENED_VALUE_BYTES: usize = 400;

/// Shortens sets to about `max_bytes` bytes. First truncates long values, then removes variables at
/// the end.
///
/// Returns a description of the omitted parts, or `None` if nothing was omitted.
pub(super) fn truncate<'a>(
    sets: impl Iterator<Item = &'a mut VariableSetSummary>,
    mut max_bytes: usize,
) -> Option<String> {
    let mut sets: Vec<&mut VariableSetSummary> = sets.collect();
    let size =
        |variable: &VariableSummary| serde_json::to_vec(variable).map_or(0, |json| json.len() + 1);
    let whole: usize = sets.iter().flat_map(|set| &set.variables).map(size).sum();
    if whole <= max_bytes {
        return None;
    }
    let (mut cut, mut left_out, mut all) = (0, 0, 0);
    for set in &mut sets {
        let before = set.variables.len();
        all += before;
        for variable in &mut set.variables {
            cut += usize::from(shorten(variable));
        }
        let mut is_full = false;
        set.variables.retain(|variable| {
            is_full = is_full || size(variable) > max_bytes;
            if !is_full {
                max_bytes -= size(variable);
            }
            !is_full
        });
        left_out += before - set.variables.len();
    }
    let parts = [
        (left_out > 0).then(|| format!("{left_out} of {all} variables")),
        (cut > 0).then(|| format!("{cut} values past {SHORTENED_VALUE_BYTES} bytes")),
    ];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", and ends of "))
}

fn shorten(variable: &mut VariableSummary) -> bool {
    match &mut variable.value {
        Some(value) if value.len() > SHORTENED_VALUE_BYTES => {
            // Secrets are detected only in complete texts, so redact before shortening.
            *value = format!(
                "{} ...",
                truncate::head(&sanitize(value).text, SHORTENED_VALUE_BYTES).trim_end()
            );
            true
        }
        _ => false,
    }
}

//! Finds the spaces, projects, environments and tenants that the documents of a response belong to.

use serde_json::{Map, Value};

use super::split_list;
use crate::octopus::{AccessSet, ResourceKind};

/// Keys of objects whose values do not name an owner. `ScopeValues` lists choices, and
/// [`add_scopes`] reads `Scope`.
const NON_OWNER_KEYS: [&str; 2] = ["ScopeValues", "Scope"];

/// Adds the owners of every document in the response.
///
/// Considers IDs under all keys. Exceptions are [`NON_OWNER_KEYS`] and the source of a clone: below
/// them, only IDs that are keys, and IDs under keys that name their kind, are considered. The
/// related documents of the document itself and of list items are added as well.
pub(super) fn add_owners(answer: &Value, access_set: &mut AccessSet) {
    match answer {
        Value::Array(items) => items.iter().for_each(|item| add_document(item, false, access_set)),
        Value::Object(page) => {
            add_document(answer, true, access_set);
            // Lists have different keys: `Items`, `Resources`, `DeploymentFreezes`.
            let lists = page.values().filter_map(Value::as_array).flatten();
            lists.for_each(|item| add_document(item, false, access_set));
        }
        _ => {}
    }
    if !answer.is_string() {
        add_nested_owners(answer, true, access_set);
    }
}

/// Adds a document and its related documents.
///
/// If the response has one document (`is_only`), the owners of its related documents are looked up.
/// For list items this would take too many requests.
fn add_document(document: &Value, is_only: bool, access_set: &mut AccessSet) {
    let Value::Object(document) = document else { return };
    texts(document, "Id").for_each(|id| add_id(id, false, access_set));
    texts(document, "RelatedDocumentIds").for_each(|id| add_id(id, is_only, access_set));
}

/// Adds the owners of a document and of every document within it.
///
/// Considers IDs under keys that name their kind. With `under_any`, considers IDs under all keys.
fn add_nested_owners(value: &Value, under_any: bool, access_set: &mut AccessSet) {
    match value {
        Value::String(ids) if under_any => {
            split_list(ids).for_each(|id| add_id(id, false, access_set));
        }
        Value::Array(items) => {
            for item in items {
                add_nested_owners(item, under_any, access_set);
            }
        }
        Value::Object(document) => {
            for (key, value) in document {
                split_list(key).for_each(|id| add_id(id, false, access_set));
                if ResourceKind::of_key(key).is_some() {
                    strings(value).for_each(|id| access_set.add_reference(key, id));
                }
                let is_not_owner = NON_OWNER_KEYS.contains(&key.as_str()) && value.is_object();
                let counts = under_any && !is_not_owner && !ResourceKind::is_origin(key);
                add_nested_owners(value, counts, access_set);
            }
        }
        _ => {}
    }
}

/// Adds the documents that values in the response are scoped to: the `Scope` of variables.
/// `ScopeValues` lists choices and is not a scope.
pub(super) fn add_scopes(value: &Value, access_set: &mut AccessSet) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| add_scopes(item, access_set)),
        Value::Object(document) => {
            for (key, value) in document {
                if let ("Scope", Value::Object(scope)) = (key.as_str(), value) {
                    for (kind, ids) in scope {
                        strings(ids)
                            .for_each(|id| access_set.add_reference(&format!("{kind}Id"), id));
                        add_nested_owners(ids, true, access_set);
                    }
                } else {
                    add_scopes(value, access_set);
                }
            }
        }
        _ => {}
    }
}

fn add_id(id: &str, follows: bool, access_set: &mut AccessSet) {
    let mut one = AccessSet::default();
    one.add_id(id);
    if follows || !one.has_unresolved() {
        access_set.merge(one);
    }
}

fn texts<'a>(document: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a str> {
    document.get(key).into_iter().flat_map(strings)
}

/// Returns the texts of a value: a text, a list of texts, or a comma-separated list.
fn strings(value: &Value) -> impl Iterator<Item = &str> {
    let one = std::iter::once(value);
    let all = one.chain(value.as_array().into_iter().flatten()).filter_map(Value::as_str);
    all.flat_map(split_list)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_the_scopes_of_values() {
        let answer = json!({
            "Variables": [
                { "Scope": { "Environment": ["Environments-3"], "Action": ["Projects-9/x"] } },
                { "Scope": { "Machine": ["Machines-1"], "Tenant": ["acme"] } },
            ],
            "ScopeValues": { "Environments": [{ "Id": "Environments-1" }] },
        });
        let mut access_set = AccessSet::default();
        add_scopes(&answer, &mut access_set);
        let environments = access_set.resources(ResourceKind::Environment);
        assert_eq!(
            environments.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(),
            ["Environments-3"]
        );
        assert_eq!(access_set.resources(ResourceKind::Tenant).len(), 1);
        assert!(access_set.resources(ResourceKind::Project).is_empty());
        assert!(access_set.has_unresolved());
    }

    #[test]
    fn finds_owners_at_any_depth_of_an_answer() {
        for (answer, projects, environments) in [
            (json!({ "Id": "Projects-1" }), vec!["Projects-1"], vec![]),
            (json!([{ "ProjectId": "Projects-2" }]), vec!["Projects-2"], vec![]),
            (
                json!({ "Items": [{ "Id": "Environments-3" }, { "EnvironmentIds": ["Environments-4"] }] }),
                vec![],
                vec!["Environments-3", "Environments-4"],
            ),
            (
                json!({ "Releases": [{ "Release": { "ProjectId": "Projects-5" } }] }),
                vec!["Projects-5"],
                vec![],
            ),
            (
                json!({ "RelatedDocumentIds": ["Projects-6", "Deployments-1"] }),
                vec!["Projects-6"],
                vec![],
            ),
            (
                json!({ "ProjectEnvironments": { "Projects-7": ["x"] }, "TargetEnvironmentIds": ["Environments-9"] }),
                vec!["Projects-7"],
                vec!["Environments-9"],
            ),
            // Unknown keys.
            (
                json!({ "In": { "Id": "Projects-8" }, "Map": { "Projects-9": [["Environments-7"]] } }),
                vec!["Projects-8", "Projects-9"],
                vec!["Environments-7"],
            ),
            (
                json!({ "Note": "not Projects-1", "ClonedFromProjectId": "Projects-1" }),
                vec![],
                vec![],
            ),
            // Choices are not owners.
            (
                json!({ "ScopeValues": { "Environments": [{ "Id": "Environments-1" }] } }),
                vec![],
                vec![],
            ),
            (json!("Projects-1"), vec![], vec![]),
            // Comma-separated lists.
            (
                json!({ "ProjectIds": "Projects-1,Projects-2", "Where": "x, Environments-1" }),
                vec!["Projects-1", "Projects-2"],
                vec!["Environments-1"],
            ),
            // A `Scope` that is not an object is not the scope of a variable.
            (
                json!({ "Scope": "Projects-1", "In": { "Scope": [["Environments-1"]] } }),
                vec!["Projects-1"],
                vec!["Environments-1"],
            ),
        ] {
            let mut access_set = AccessSet::default();
            add_owners(&answer, &mut access_set);
            let ids = |kind| -> Vec<&str> {
                access_set.resources(kind).iter().map(|thing| thing.id.as_str()).collect()
            };
            assert_eq!(
                (ids(ResourceKind::Project), ids(ResourceKind::Environment)),
                (projects, environments),
                "{answer}"
            );
        }
    }
}

//! Marks kinds as unknown if the body or query of an `execute` change names documents in unknown
//! fields.
//!
//! Rules that deny or require approval apply to unknown kinds.

use serde_json::Value;

use super::request_names::{INDIRECT_KEYS, is_known_id, kind_of, split_list};
use crate::octopus::{AccessSet, ResourceKind, operations::Subject};

/// Keys that contain the word of a kind but name no document of that kind.
const IGNORED_KEYS: [&str; 9] = [
    "projectgroupid",
    "clonedfromprojectid",
    "clonedfromtenantid",
    "projecttags",
    "environmenttags",
    "tenanttags",
    "tenanteddeploymentmode",
    "tenanteddeploymentparticipation",
    "projectconnectivitypolicy",
];

/// Keys that name a space. Their values are compared with the space of the change.
const SPACE_KEYS: [&str; 7] =
    ["space", "spaces", "spaceid", "spaceids", "spaceidorname", "spaceidorslug", "spacename"];

/// Adds the IDs in query parameters to `access_set` and marks their kinds as unknown.
///
/// A space other than that of the change makes the space unknown.
pub(super) fn add_query<'a>(
    values: impl Iterator<Item = (&'a str, &'a str)>,
    access_set: &mut AccessSet,
) {
    for (key, value) in values {
        add_text(value, access_set);
        let key = key.split('[').next().unwrap_or(key);
        if !value.trim().is_empty() {
            mark_kind_of_key(key, access_set);
        }
        if SPACE_KEYS.contains(&normalized_key(key).as_str())
            && !split_list(value).all(|space| is_space_of_change(space, access_set))
        {
            *access_set = std::mem::take(access_set).with_incomplete([ResourceKind::Space]);
        }
    }
}

/// Adds the IDs in body fields that [`super::request_names::names_in_body`] does not read, and
/// marks their kinds as unknown.
///
/// A key that contains the word of a kind makes that kind unknown.
pub(super) fn add_body(body: Option<&Value>, access_set: &mut AccessSet) {
    match body {
        Some(Value::Object(fields)) => {
            for (key, value) in fields {
                match value {
                    Value::Object(inner) if key.eq_ignore_ascii_case("arguments") => {
                        inner
                            .iter()
                            .for_each(|(key, value)| add_top_level_field(key, value, access_set));
                    }
                    _ => add_top_level_field(key, value, access_set),
                }
            }
        }
        Some(other) => add_value(other, access_set),
        None => {}
    }
}

/// Adds a field of the top level. For known fields, adds only values that are not texts.
fn add_top_level_field(key: &str, value: &Value, access_set: &mut AccessSet) {
    let plain = key.to_lowercase();
    if kind_of(&plain).is_none() && !INDIRECT_KEYS.contains(&plain.as_str()) {
        return add_unknown_field(key, value, access_set);
    }
    match value {
        Value::String(_) | Value::Null => {}
        Value::Array(items) => {
            let unreadable = items.iter().filter(|item| !item.is_string());
            for item in unreadable {
                mark_kind_of_key(key, access_set);
                add_value(item, access_set);
            }
        }
        other => {
            mark_kind_of_key(key, access_set);
            add_value(other, access_set);
        }
    }
}

/// Adds the value of an unknown field.
fn add_unknown_field(key: &str, value: &Value, access_set: &mut AccessSet) {
    let is_something = match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Number(_) | Value::Bool(true) => true,
        Value::Array(items) => items.iter().any(|item| !item.is_null() && !item.is_object()),
        Value::Null | Value::Bool(false) | Value::Object(_) => false,
    };
    if IGNORED_KEYS.contains(&normalized_key(key).as_str()) && !value.is_object() {
        return;
    }
    add_text(key, access_set);
    if is_something {
        mark_kind_of_key(key, access_set);
    }
    add_value(value, access_set);
}

fn add_value(value: &Value, access_set: &mut AccessSet) {
    match value {
        Value::String(found) => add_text(found, access_set),
        Value::Array(items) => items.iter().for_each(|item| add_value(item, access_set)),
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| add_unknown_field(key, value, access_set));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Marks kinds as unknown if the key contains their word.
fn mark_kind_of_key(key: &str, access_set: &mut AccessSet) {
    let key = normalized_key(key);
    for kind in super::request_names::KINDS {
        let word = kind.collection().strip_suffix('s').unwrap_or_default();
        if key.contains(word) && !IGNORED_KEYS.contains(&key.as_str()) {
            *access_set = std::mem::take(access_set).with_incomplete([kind]);
        }
    }
}

/// Adds the IDs of a text, which may be a comma-separated list, and marks their possible owner
/// kinds as unknown.
fn add_text(found: &str, access_set: &mut AccessSet) {
    split_list(found).for_each(|found| add_possible_id(found, access_set));
}

fn add_possible_id(found: &str, access_set: &mut AccessSet) {
    if !is_known_id(found) {
        return;
    }
    let mut one = AccessSet::default();
    one.add_id(found);
    let is_between = one.has_unresolved();
    let kinds = super::request_names::KINDS.into_iter();
    let kinds = kinds.filter(|kind| is_between || !one.resources(*kind).is_empty());
    let is_other_space =
        !one.resources(ResourceKind::Space).is_empty() && !is_space_of_change(found, access_set);
    let kinds: Vec<ResourceKind> =
        kinds.chain(is_other_space.then_some(ResourceKind::Space)).collect();
    if !kinds.is_empty() {
        access_set.merge(one);
        *access_set = std::mem::take(access_set).with_incomplete(kinds);
    }
}

/// Returns whether `space` (ID, slug or name) is the space of the change.
///
/// A text in the form of an ID is compared with IDs only, because the name of one space can be the
/// ID of another.
pub(super) fn is_space_of_change(space: &str, access_set: &AccessSet) -> bool {
    let is_id = Subject::Space.is_id(space);
    access_set.resources(ResourceKind::Space).iter().any(|change_space| {
        let names =
            [&change_space.slug, &change_space.name].into_iter().flatten().filter(|_| !is_id);
        names.chain([&change_space.id]).any(|known| known.eq_ignore_ascii_case(space))
    })
}

/// Returns the IDs, slugs and names of spaces in a body, at any depth.
pub(super) fn named_spaces(body: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    collect_spaces(body, false, &mut found);
    found
}

/// Collects the spaces in a value. Includes texts if the key of the value names spaces
/// (`names_spaces`).
fn collect_spaces<'a>(value: &'a Value, names_spaces: bool, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if names_spaces && !text.trim().is_empty() => found.push(text.trim()),
        Value::Array(items) => {
            for item in items {
                collect_spaces(item, names_spaces, found);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                collect_spaces(value, SPACE_KEYS.contains(&normalized_key(key).as_str()), found);
            }
        }
        _ => {}
    }
}

fn normalized_key(key: &str) -> String {
    key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::octopus::AccessedResource;

    fn unknown_kinds(body: &Value) -> Vec<ResourceKind> {
        let mut access_set = AccessSet::default();
        add_body(Some(body), &mut access_set);
        let kinds = super::super::request_names::KINDS.into_iter();
        kinds.filter(|kind| access_set.is_incomplete(*kind)).collect()
    }

    #[test]
    fn unread_fields_make_their_kind_unknown() {
        use ResourceKind::{Environment, Project, Tenant};
        for (body, expected) in [
            (json!({ "EnvironmentId": "Environments-3", "ProjectIds": ["Projects-1"] }), vec![]),
            (json!({ "Name": "x", "ProjectGroupId": "ProjectGroups-1" }), vec![]),
            (json!({ "EnvironmentIds": [["Environments-3"]] }), vec![Environment]),
            (json!({ "EnvironmentIds": [{ "Id": "Environments-3" }] }), vec![Environment]),
            (json!({ "EnvironmentId": { "Value": "x" } }), vec![Environment]),
            (json!({ "Target": "Environments-3" }), vec![Environment]),
            (json!({ "Targets": "Accounts-1, Environments-3" }), vec![Environment]),
            (json!({ "Target": { "Deep": [[{ "Id": "projects-1" }]] } }), vec![Project]),
            (json!({ "Map": { "Tenants-1": true } }), vec![Tenant]),
            (json!({ "TargetEnvironment": "Production" }), vec![Environment]),
            (json!({ "Inner": { "EnvironmentId": "Production" } }), vec![Environment]),
            (json!({ "Inner": { "AllTenants": true, "AllProjects": false } }), vec![Tenant]),
            (json!({ "Release": "Releases-1" }), vec![Project, Environment, Tenant]),
            (json!({ "Arguments": { "EnvironmentId": "Environments-3" } }), vec![]),
            (json!({ "Arguments": { "In": { "EnvironmentId": "x" } } }), vec![Environment]),
            (json!([{ "ProjectId": "x" }]), vec![Project]),
        ] {
            assert_eq!(unknown_kinds(&body), expected, "{body}");
        }
    }

    #[test]
    fn another_space_makes_the_space_unknown() {
        // The name of this space is the ID of another space.
        let (id, name, slug) = ("Spaces-1".to_owned(), "Spaces-3".to_owned(), "main".to_owned());
        let space = AccessedResource {
            id,
            name: Some(name),
            slug: Some(slug),
            ..AccessedResource::default()
        };
        let change_space = AccessSet::default().with_resources(ResourceKind::Space, [space]);
        let is_unknown = |pair, body| {
            let mut access_set = change_space.clone();
            add_query(std::iter::once(pair), &mut access_set);
            add_body(Some(&body), &mut access_set);
            access_set.is_incomplete(ResourceKind::Space)
        };
        let document = json!({ "SpaceId": "Spaces-1" });
        for (name, value, expected) in [
            ("spaceId", "spaces-1", false),
            ("spaceId", "Spaces-2", true),
            ("spaceName", "Depots", true),
            ("space", "Depots", true),
            ("spaces[0]", "Main,Depots", true),
            ("spaces", "MAIN", false),
            ("spaceId", "Spaces-3", true),
            ("x", "Spaces-3", true),
            ("x", "Spaces-1,Spaces-2", true),
            ("spaceId", "", false),
        ] {
            assert_eq!(is_unknown((name, value), document.clone()), expected, "{name}={value}");
        }
        for target in ["Spaces-2", "Spaces-3"] {
            assert!(is_unknown(("x", "y"), json!({ "Target": [target] })), "{target}");
        }
    }

    #[test]
    fn finds_spaces_at_any_depth_of_a_body() {
        let body = json!({ "SpaceId": "Spaces-1", "a": [{ "space_id_or_name": " Depots " }],
            "SpaceIds": ["Spaces-2", "", [["Spaces-4"]]], "spaceName": null,
            "Space": { "Id": "x", "SpaceId": "Spaces-3" }, "spaces": "Yards" });
        let mut found = named_spaces(&body);
        found.sort_unstable();
        assert_eq!(found, ["Depots", "Spaces-1", "Spaces-2", "Spaces-3", "Spaces-4", "Yards"]);
    }

    proptest! {
        /// An ID at any depth of a body is read or makes its kind unknown.
        #[test]
        fn finds_ids_at_any_depth_of_a_body(keys in prop::collection::vec("[a-zA-Z]{1,8}", 1..6), lists in any::<u8>()) {
            let mut body = json!("Environments-3");
            for (place, key) in keys.iter().enumerate() {
                body = json!({ (key.as_str()): body });
                if lists >> place & 1 == 1 && place + 1 < keys.len() {
                    body = json!([body]);
                }
            }
            let mut access_set = AccessSet::default();
            let named = super::super::request_names::names_in_body(Some(&body), &mut access_set);
            add_body(Some(&body), &mut access_set);
            let is_seen = !access_set.resources(ResourceKind::Environment).is_empty() || !named.is_empty();
            prop_assert!(is_seen, "{}", body);
        }
    }
}

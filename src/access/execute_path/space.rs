//! Checks that a request stays in one space.

use serde_json::Value;

use super::{
    HttpMethod,
    pattern::{NormalizedSegment, matches},
};

/// Paths without data of any space, which can be read under a space restriction.
const SPACELESS_PATHS: &[&str] = &[
    "$",
    "serverstatus",
    "capabilities",
    "experimental",
    "featuresconfiguration",
    "maintenanceconfiguration",
    "performanceconfiguration",
    "ratelimitingpolicies",
    "octopusservernodes",
    "configuration",
    "licenses",
    "permissions",
    "userroles",
    "users/me$",
    "events/categories$",
    "events/groups$",
    "events/agents$",
    "events/documenttypes$",
    "tasks/tasktypes$",
];

/// Checks that a request stays in the space with this ID.
///
/// # Errors
///
/// Returns a description of the first part that leaves the space.
pub(super) fn ensure_in_space(
    words: &[NormalizedSegment],
    space: &str,
    verb: HttpMethod,
    mut query: impl Iterator<Item = impl AsRef<str>>,
    body: Option<&Value>,
) -> Result<(), String> {
    let is_same_space = |word: &NormalizedSegment| word.folded == space.to_lowercase();
    let is_within = match words {
        [first, ..] if is_same_space(first) => true,
        [spaces, second, ..] if spaces.plain == "spaces" => is_same_space(second),
        _ => false,
    };
    let is_spaceless =
        || verb == HttpMethod::Get && SPACELESS_PATHS.iter().any(|path| matches(path, words));
    if !(is_within || is_spaceless()) {
        return Err(format!(
            "this server is limited to one space; paths in it begin with /api/{space}/"
        ));
    }
    if query.any(|name| names_spaces(name.as_ref())) {
        return Err(
            "this server is limited to one space; omit `spaces` and `includeSystem`".to_owned()
        );
    }
    if body.is_some_and(|body| names_other_space(body, space)) {
        return Err(format!("this server is limited to one space; its SpaceId is {space}"));
    }
    Ok(())
}

/// Returns whether a query parameter selects spaces. An index or a path after the name, as in
/// `spaces[0]`, makes no difference.
fn names_spaces(parameter: &str) -> bool {
    const NAMES: [&str; 6] =
        ["space", "spaces", "spaceid", "spaceids", "spaceidorname", "includesystem"];
    let name = parameter.split(['[', '.']).next().unwrap_or(parameter);
    NAMES.contains(&NormalizedSegment::new(name).plain.as_str())
}

/// Returns whether a body names another space, at any depth.
fn names_other_space(body: &Value, space: &str) -> bool {
    const KEYS: [&str; 3] = ["spaceid", "spaceids", "spaceidorname"];
    let is_same_space =
        |value: &Value| value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(space));
    match body {
        Value::Array(items) => items.iter().any(|item| names_other_space(item, space)),
        Value::Object(fields) => fields.iter().any(|(key, value)| {
            if !KEYS.contains(&NormalizedSegment::new(key).plain.as_str()) {
                return names_other_space(value, space);
            }
            match value {
                Value::Array(values) => !values.iter().all(is_same_space),
                value => !is_same_space(value),
            }
        }),
        _ => false,
    }
}

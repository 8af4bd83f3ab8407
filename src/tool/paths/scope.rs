//! The one space that the settings allow, where they name one.

use serde_json::Value;

use super::{
    Verb,
    pattern::{Word, is},
};

/// What holds nothing of any space, and can be read wherever one is.
const OF_NO_SPACE: &[&str] = &[
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

/// Says why this is not within the space with this ID.
pub(super) fn within(
    words: &[Word],
    space: &str,
    verb: Verb,
    mut query: impl Iterator<Item = impl AsRef<str>>,
    body: Option<&Value>,
) -> Result<(), String> {
    let is_it = |word: &Word| word.folded == space.to_lowercase();
    let is_within = match words {
        [first, ..] if is_it(first) => true,
        [spaces, second, ..] if spaces.plain == "spaces" => is_it(second),
        _ => false,
    };
    let is_of_none = || verb == Verb::Get && OF_NO_SPACE.iter().any(|path| is(path, words));
    if !(is_within || is_of_none()) {
        return Err(format!(
            "this server works in one space alone; paths in it begin with /api/{space}/"
        ));
    }
    let reaches_out =
        |name: &str| ["spaces", "includesystem"].contains(&Word::of(name).plain.as_str());
    if query.any(|name| reaches_out(name.as_ref())) {
        return Err("this server works in one space alone; leave `spaces` and `includeSystem` out"
            .to_owned());
    }
    let body = body.and_then(Value::as_object).into_iter().flatten();
    let names_other = |(key, value): (&String, &Value)| {
        let names = ["spaceid", "spaceidorname"].contains(&Word::of(key).plain.as_str());
        names && !value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(space))
    };
    if body.into_iter().any(names_other) {
        return Err(format!("this server works in one space alone; its SpaceId is {space}"));
    }
    Ok(())
}

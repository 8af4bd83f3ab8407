//! Property tests of argument parsing: any JSON arguments against any schema.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::resolve_names;
use crate::{
    access::PinnedArguments,
    text::step_counter,
    tool::{Choices, Error, StringList, Tags, invocation::parse_arguments},
};

/// Names of arguments: real names, aliases, misspellings and random text.
fn name() -> impl Strategy<Value = String> {
    let known = [
        "space",
        "spaceName",
        "spaceId",
        "Space",
        "spce",
        "project",
        "projectId",
        "projectName",
        "environment",
        "environmentId",
        "tenant",
        "tenantId",
        "take",
        "skip",
        "firstResult",
        "maxBytes",
        "gitRef",
        "branch",
        "confirm",
        "query",
        "body",
        "path",
        "method",
        "",
    ];
    prop_oneof![
        6 => prop::sample::select(known.map(str::to_owned).to_vec()),
        1 => "(?s).{0,20}",
        1 => "[a-z]{0,400}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(?s).{0,30}".prop_map(Value::from),
        prop::sample::select(vec!["", "Default", "GET", "/api/spaces", "Set/Tag", "Projects-1"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..4).prop_map(Value::from_iter),
        ]
    })
}

fn object(values: impl IntoIterator<Item = (String, Value)>) -> Map<String, Value> {
    values.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn keeps_only_known_names(
        given in prop::collection::vec((name(), value()), 0..12),
        schema in prop::collection::btree_set(name(), 0..12),
        (space, project) in any::<(bool, bool)>(),
    ) {
        let given = object(given);
        let schema = object(schema.into_iter().map(|name| (name, json!({}))));
        let pinned = PinnedArguments { instance: false, space, project };
        let values: Vec<Value> = given.values().cloned().collect();
        let is_known = |name: &String| schema.contains_key(name);
        match resolve_names(given.clone(), &schema, pinned) {
            Ok(known) => {
                prop_assert!(known.keys().all(is_known));
                prop_assert!(known.values().all(|value| !value.is_null() && values.contains(value)));
                let all = given.values().filter(|value| !value.is_null()).count();
                prop_assert_eq!(known.len(), all, "an argument is lost");
                // An argument with its own name keeps its value.
                for (name, value) in &known {
                    prop_assert!(given.get(name).is_none_or(|own| own.is_null() || own == value));
                }
                prop_assert_eq!(resolve_names(known.clone(), &schema, pinned), Ok(known));
            }
            Err(Error::UnknownArgument { given: shown, near, valid }) => {
                prop_assert!(given.keys().any(|name| !is_known(name) && name.starts_with(&shown)));
                prop_assert!(shown.chars().count() <= 80 && near.iter().chain(&valid).all(is_known));
            }
            Err(Error::Invalid(message)) => prop_assert!(message.contains("given twice"), "{message}"),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn string_lists_and_tags_keep_their_values(value in value()) {
        #[derive(serde::Deserialize)]
        struct Lists<T> { list: T }
        let arguments = || object([("list".to_owned(), value.clone())]);
        if let Ok(Lists { list: StringList(strings) }) = parse_arguments::<Lists<StringList>>(arguments()) {
            prop_assert!(!strings.is_empty() && strings.len() <= 200);
            prop_assert!(strings.iter().all(|word| !word.trim().is_empty()));
        }
        if let Ok(Lists { list: Tags(tags) }) = parse_arguments::<Lists<Tags>>(arguments()) {
            prop_assert!(!tags.is_empty() && tags.iter().all(|tag| tag.contains('/')));
        }
        prop_assert!(parse_arguments::<Lists<Choices<bool>>>(arguments()).is_err());
    }
}

#[test]
fn rejects_at_the_first_unknown_name() {
    let schema = object((0..30).map(|n| (format!("argument{n}"), json!({}))));
    let steps_for = |count: usize| {
        let given =
            object((0..count).map(|n| (format!("unknown{n}{}", "x".repeat(500)), json!(n))));
        let (result, steps) =
            step_counter::count(|| resolve_names(given, &schema, PinnedArguments::default()));
        let message = result.unwrap_err().to_string();
        assert!(message.contains("`unknown0x") && message.len() < 1000, "{message}");
        steps
    };
    assert_eq!(steps_for(10_000), steps_for(1));
}

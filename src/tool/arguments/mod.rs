//! Parses and checks arguments before they are deserialized into the input type of the tool.

mod length_limits;
pub(super) mod pinned;
#[cfg(test)]
mod properties;
mod shared;

use std::borrow::Cow;

use rmcp::model::JsonObject;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, IntoDeserializer, value::Error as ValueError},
};

use self::pinned::is_pinned;
pub use self::shared::{
    EnvironmentArg, GitRefArg, NamePart, ProjectArg, Skip, SpaceArg, Take, TaskArg, TenantArg,
};
use super::Error;
use crate::{access::PinnedArguments, text::nearest::nearest};

/// Aliases of arguments: names of earlier clients, and names of fields in answers.
const ALIASES: &[(&str, &str)] = &[
    ("spaceName", "space"),
    ("spaceId", "space"),
    ("space", "spaceName"),
    ("spaceId", "spaceName"),
    ("project", "projectId"),
    ("projectName", "projectId"),
    ("environment", "environmentId"),
    ("environmentName", "environmentId"),
    ("tenant", "tenantId"),
    ("tenantName", "tenantId"),
    ("target", "targetId"),
    ("machineId", "targetId"),
    ("certificate", "certificateId"),
    ("account", "accountId"),
    ("firstResult", "skip"),
    ("branchName", "gitRef"),
    ("branch", "gitRef"),
    ("runbook", "runbookId"),
    ("runbookName", "runbookId"),
    ("runbookSlug", "runbookId"),
];

/// Replaces aliases with the names of arguments and drops null values.
///
/// # Errors
///
/// Rejects unknown names with the nearest accepted name, duplicate arguments and texts that are too
/// long.
pub(super) fn resolve_names(
    arguments: JsonObject,
    properties: &JsonObject,
    pinned: PinnedArguments,
) -> Result<JsonObject, Error> {
    let mut resolved = JsonObject::new();
    for (given, value) in arguments {
        if value.is_null() {
            continue;
        }
        let is_alias =
            |(other, name): &&(&str, &str)| *other == given && properties.contains_key(*name);
        let name = match ALIASES.iter().find(is_alias) {
            Some((_, name)) if !properties.contains_key(&given) => (*name).to_owned(),
            _ => given.clone(),
        };
        if !properties.contains_key(&name) {
            let accepted = properties.keys().filter(|name| !is_pinned(name, pinned));
            let (given, valid) =
                (length_limits::shortened(&given), accepted.cloned().collect::<Vec<_>>());
            let nearest_name = nearest(&given, valid.iter().map(String::as_str), 1);
            let nearest_name = nearest_name.first().map(|&name| name.to_owned());
            return Err(Error::UnknownArgument { given, near: nearest_name, valid });
        }
        length_limits::check_length(&name, &value)?;
        if resolved.insert(name.clone(), value).is_some() {
            return Err(Error::Invalid(format!("`{name}` is given twice, once as `{given}`")));
        }
    }
    Ok(resolved)
}

/// Parses the ID of a document of any type, e.g. `Projects-123`.
pub fn parse_document_id(field: &str, given: &str) -> Result<String, Error> {
    let given = given.trim();
    let is_id = given.split_once('-').is_some_and(|(kind, rest)| {
        !rest.is_empty()
            && !kind.is_empty()
            && kind.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if is_id && given.len() <= 120 && given.bytes().all(is_plain) {
        return Ok(given.to_owned());
    }
    let shown: String = given.chars().take(80).collect();
    let reason = format!("'{shown}' is not an ID; IDs look like Projects-123 or ServerTasks-123");
    Err(Error::Argument { field: field.to_owned(), reason })
}

/// Maximum number of entries of a list. Octopus accepts few more in one request.
const MAX_ENTRIES: usize = 200;

fn check_entry_count<E: serde::de::Error>(entries: usize) -> Result<(), E> {
    if entries <= MAX_ENTRIES {
        return Ok(());
    }
    Err(E::custom(format!(
        "{entries} entries are too many; the limit is {MAX_ENTRIES}; split the list into several calls"
    )))
}

/// A list of strings. Also accepts one string instead of a list.
#[derive(Debug, Clone, Default)]
pub struct StringList(pub Vec<String>);

impl StringList {
    /// Returns the strings of an argument; none if it is absent.
    pub fn as_slice(given: &Option<Self>) -> &[String] {
        given.as_ref().map(|strings| strings.0.as_slice()).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for StringList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum StringOrList {
            Many(Vec<String>),
            One(String),
        }
        let strings = match StringOrList::deserialize(deserializer) {
            Ok(StringOrList::Many(strings)) => strings,
            Ok(StringOrList::One(string)) => vec![string],
            Err(_) => return Err(D::Error::custom("expected a list of strings")),
        };
        check_entry_count(strings.len())?;
        if strings.is_empty() || strings.iter().any(|string| string.trim().is_empty()) {
            return Err(D::Error::custom(
                "empty lists and empty strings are not allowed; to not filter, leave the argument out",
            ));
        }
        Ok(Self(strings))
    }
}

impl JsonSchema for StringList {
    fn schema_name() -> Cow<'static, str> {
        "Words".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })
    }
}

/// A list of enum values. Also accepts one value instead of a list.
#[derive(Debug, Clone)]
pub struct Choices<T>(pub Vec<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Choices<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StringList(strings) = StringList::deserialize(deserializer)?;
        let strings = strings.into_iter().map(|string| T::deserialize(string.into_deserializer()));
        strings.collect::<Result<_, ValueError>>().map(Self).map_err(D::Error::custom)
    }
}

impl<T: JsonSchema> JsonSchema for Choices<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Choices_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let string = generator.subschema_for::<T>();
        json_schema!({ "type": "array", "items": string })
    }
}

/// A list of tags, each with its tag set: `Set/Tag`.
#[derive(Debug, Clone, Default)]
pub struct Tags(pub Vec<String>);

impl Tags {
    /// Returns the tags of an argument; none if it is absent.
    pub fn as_slice(given: &Option<Self>) -> &[String] {
        given.as_ref().map(|tags| tags.0.as_slice()).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StringList(strings) = StringList::deserialize(deserializer)?;
        // Earlier clients send one comma-separated text.
        let tags = strings.iter().flat_map(|string| string.split(',')).map(str::trim);
        let tags: Vec<String> = tags.filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
        check_entry_count(tags.len())?;
        match tags.iter().find(|tag| !tag.contains('/')) {
            Some(tag) => Err(D::Error::custom(format!(
                "'{tag}' is not a tag; expected the tag set and the tag, as Set/Tag"
            ))),
            None if tags.is_empty() => Err(D::Error::custom("no tag given; expected Set/Tag")),
            None => Ok(Self(tags)),
        }
    }
}

impl JsonSchema for Tags {
    fn schema_name() -> Cow<'static, str> {
        "Tags".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string" } })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(arguments: Value, expected: Result<Value, &str>) {
        let object = |value: Value| match value {
            Value::Object(object) => object,
            _ => panic!("not an object"),
        };
        let properties = object(json!({ "space": {}, "projectId": {}, "take": {} }));
        let read = resolve_names(object(arguments), &properties, PinnedArguments::default());
        match expected {
            Ok(expected) => assert_eq!(Value::Object(read.unwrap()), expected),
            Err(expected) => {
                let message = read.unwrap_err().to_string();
                assert!(message.contains(expected), "{message}");
            }
        }
    }

    #[test]
    fn resolves_aliases() {
        check(
            json!({ "spaceName": "A", "project": "P" }),
            Ok(json!({ "space": "A", "projectId": "P" })),
        );
        check(json!({ "space": "A", "take": null }), Ok(json!({ "space": "A" })));
    }

    #[test]
    fn rejects_unknown_names_with_the_nearest_name() {
        check(json!({ "spce": "A" }), Err("`space`"));
        check(json!({ "space": "A", "spaceId": "B" }), Err("given twice"));
        check(json!({ "frobnicate": 1 }), Err("space, projectId, take"));
    }

    #[test]
    fn rejects_empty_lists() {
        assert!(serde_json::from_value::<StringList>(json!([])).is_err());
        assert!(serde_json::from_value::<StringList>(json!([" "])).is_err());
        assert_eq!(serde_json::from_value::<StringList>(json!("Web")).unwrap().0, ["Web"]);
    }

    #[test]
    fn limits_the_number_of_entries() {
        let many = |entries: usize| json!(vec!["A/x"; entries]);
        let one = |entries: usize| json!(vec!["A/x"; entries].join(","));
        assert_eq!(
            serde_json::from_value::<StringList>(many(MAX_ENTRIES)).unwrap().0.len(),
            MAX_ENTRIES
        );
        assert_eq!(serde_json::from_value::<Tags>(one(MAX_ENTRIES)).unwrap().0.len(), MAX_ENTRIES);
        let expected = "201 entries are too many; the limit is 200";
        let directions = json!(vec!["Up"; MAX_ENTRIES + 1]);
        for error in [
            serde_json::from_value::<StringList>(many(MAX_ENTRIES + 1)).unwrap_err(),
            serde_json::from_value::<Tags>(many(MAX_ENTRIES + 1)).unwrap_err(),
            serde_json::from_value::<Tags>(one(MAX_ENTRIES + 1)).unwrap_err(),
            serde_json::from_value::<Choices<Direction>>(directions).unwrap_err(),
        ] {
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn parses_one_or_many_choices_and_tags() {
        let read = |value: Value| serde_json::from_value::<Choices<Direction>>(value);
        assert_eq!(read(json!(["Up", "Down"])).unwrap().0, [Direction::Up, Direction::Down]);
        assert_eq!(read(json!("Up")).unwrap().0, [Direction::Up]);
        for wrong in [json!([]), json!(["Sideways"]), json!(1)] {
            assert!(read(wrong).is_err());
        }
        let tags = |value: Value| serde_json::from_value::<Tags>(value).map(|tags| tags.0);
        assert_eq!(tags(json!("A/x, B/y")).unwrap(), ["A/x", "B/y"]);
        assert!(tags(json!(["A/x", "y"])).unwrap_err().to_string().contains("'y' is not a tag"));
        assert!(tags(json!(",")).is_err());
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Direction {
        Up,
        Down,
    }
}

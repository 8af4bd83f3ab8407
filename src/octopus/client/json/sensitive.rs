//! Redacts sensitive values in raw documents.
//!
//! Octopus does not return sensitive values, but an older server, a plugin or a proxy may. A value
//! is sensitive if the document marks it: with `IsSensitive`, with a type or control named
//! `Sensitive`, or with the form of a sensitive property value, `{HasValue, NewValue, Hint}`.

use serde_json::{Map, Value};

/// Replacement for a sensitive value.
pub(in crate::octopus) const REDACTED: &str = "[redacted:sensitive-value]";

/// Fields that contain the value of an object that is marked as sensitive.
const VALUE_FIELDS: &[&str] = &["Value", "Values", "DefaultValue", "NewValue", "SensitiveValue"];

/// Redacts the values that this object marks as sensitive, including nested ones. Other nested
/// objects are not visited. Keys may be in Pascal case or camel case.
pub(in crate::octopus) fn redact(object: &mut Map<String, Value>) {
    let is_marked = is_marked_sensitive(object)
        || ["DisplaySettings", "Control"]
            .iter()
            .filter_map(|key| get_ignore_case(object, key)?.as_object())
            .any(is_marked_sensitive);
    let is_value = get_ignore_case(object, "HasValue").is_some();
    for (key, item) in object.iter_mut() {
        let is_one_of = |keys: &[&str]| keys.iter().any(|name| key.eq_ignore_ascii_case(name));
        if (is_marked && is_one_of(VALUE_FIELDS)) || (is_value && is_one_of(&["NewValue", "Hint"]))
        {
            redact_value(item);
        }
    }
    redact_form(object);
}

/// Redacts the values of form elements that are marked as sensitive.
fn redact_form(object: &mut Map<String, Value>) {
    let elements = get_ignore_case(object, "Elements").and_then(Value::as_array);
    let names: Vec<String> = elements
        .into_iter()
        .flatten()
        .filter_map(|element| {
            let control = get_ignore_case(element.as_object()?, "Control")?.as_object()?;
            let name = get_ignore_case(element.as_object()?, "Name")?.as_str()?;
            is_marked_sensitive(control).then(|| name.to_owned())
        })
        .collect();
    if names.is_empty() {
        return;
    }
    let values = object.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case("Values"));
    let Some(Value::Object(values)) = values.map(|(_, values)| values) else { return };
    for name in names {
        if let Some(value) = values.get_mut(&name) {
            redact_value(value);
        }
    }
}

fn get_ignore_case<'o>(object: &'o Map<String, Value>, key: &str) -> Option<&'o Value> {
    object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

/// Returns whether an object marks its own value as sensitive.
fn is_marked_sensitive(object: &Map<String, Value>) -> bool {
    object.iter().any(|(key, value)| match value {
        Value::Bool(true) => {
            ["IsSensitive", "IsSecure"].iter().any(|flag| key.eq_ignore_ascii_case(flag))
        }
        Value::String(kind) => {
            ["Type", "ControlType", "Octopus.ControlType"]
                .iter()
                .any(|field| key.eq_ignore_ascii_case(field))
                && kind.eq_ignore_ascii_case("Sensitive")
        }
        _ => false,
    })
}

/// Redacts texts and numbers. Keeps values that only show whether a secret exists: booleans, empty
/// texts and Octopus's mask of asterisks.
fn redact_value(value: &mut Value) {
    match value {
        Value::String(text) if text.chars().all(|letter| letter == '*') => {}
        Value::String(_) | Value::Number(_) => *value = Value::from(REDACTED),
        Value::Array(items) => items.iter_mut().for_each(redact_value),
        Value::Object(object) => object.values_mut().for_each(redact_value),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::octopus::client::json::forms::{to_answer_form, without_sensitive};

    #[test]
    fn redacts_only_sensitive_values() {
        for (document, shown) in [
            (
                json!({ "Name": "Db", "Value": "hunter2", "IsSensitive": true }),
                json!({ "Name": "Db", "Value": REDACTED, "IsSensitive": true }),
            ),
            (
                json!({ "Name": "Pin", "Value": 4711, "Type": "Sensitive", "Id": "a" }),
                json!({ "Name": "Pin", "Value": REDACTED, "Type": "Sensitive", "Id": "a" }),
            ),
            (
                json!({ "Password": { "HasValue": true, "NewValue": "hunter2", "Hint": "h2" } }),
                json!({ "Password": { "HasValue": true, "NewValue": REDACTED, "Hint": REDACTED } }),
            ),
            (
                json!({ "Key": { "IsSensitive": true, "Value": null,
                    "SensitiveValue": { "HasValue": true, "NewValue": "hunter2" } } }),
                json!({ "Key": { "IsSensitive": true, "Value": null,
                    "SensitiveValue": { "HasValue": true, "NewValue": REDACTED } } }),
            ),
            (
                json!({ "DefaultValue": "hunter2",
                    "DisplaySettings": { "Octopus.ControlType": "Sensitive" } }),
                json!({ "DefaultValue": REDACTED,
                    "DisplaySettings": { "Octopus.ControlType": "Sensitive" } }),
            ),
            (
                json!({ "Values": { "a": "hunter2", "b": "shown" }, "Elements": [
                    { "Name": "a", "Control": { "IsSecure": true } },
                    { "Name": "b", "Control": { "IsSecure": false } }] }),
                json!({ "Values": { "a": REDACTED, "b": "shown" }, "Elements": [
                    { "Name": "a", "Control": { "IsSecure": true } },
                    { "Name": "b", "Control": { "IsSecure": false } }] }),
            ),
        ] {
            assert_eq!(
                without_sensitive(json!({ "Items": [document] })),
                json!({ "Items": [shown] })
            );
        }
        for document in [
            json!({ "Name": "Db", "Value": "shown", "IsSensitive": false, "Type": "String" }),
            json!({ "Value": "", "IsSensitive": true }),
            json!({ "Value": "********", "IsSensitive": true }),
            json!({ "HasValue": false, "NewValue": null, "Hint": null }),
            json!({ "Control": { "Type": "Checkbox" }, "DefaultValue": "True" }),
        ] {
            assert_eq!(without_sensitive(document.clone()), document);
        }
    }

    #[test]
    fn recognizes_camel_case_keys() {
        let document = json!({ "value": "hunter2", "isSensitive": true, "Links": {} });
        assert_eq!(
            without_sensitive(document.clone()),
            json!({ "value": REDACTED, "isSensitive": true })
        );
        assert_eq!(to_answer_form(document), json!({ "value": REDACTED, "isSensitive": true }));
    }
}

//! Redacts sensitive values in raw documents.
//!
//! Octopus does not return sensitive values, but an older server, a plugin or a proxy may. A value
//! counts as sensitive if the document marks it: with `IsSensitive`, with a type or control named
//! `Sensitive`, or with the form of a sensitive property value, `{HasValue, NewValue, Hint}`.

use serde_json::{Map, Value};

/// Replacement for a sensitive value.
pub(super) const HIDDEN: &str = "[redacted:sensitive-value]";

/// Fields that contain the value of an object that is marked as sensitive.
const VALUES: &[&str] = &["Value", "Values", "DefaultValue", "NewValue", "SensitiveValue"];

/// Redacts the values that this object marks as sensitive, including nested ones. Other nested
/// objects are not visited. Keys may be in Pascal case or camel case.
pub(super) fn hide(object: &mut Map<String, Value>) {
    let is_marked = is_marked(object)
        || ["DisplaySettings", "Control"]
            .iter()
            .filter_map(|key| get(object, key)?.as_object())
            .any(is_marked);
    let is_value = get(object, "HasValue").is_some();
    for (key, item) in object.iter_mut() {
        let is_one_of = |keys: &[&str]| keys.iter().any(|name| key.eq_ignore_ascii_case(name));
        if (is_marked && is_one_of(VALUES)) || (is_value && is_one_of(&["NewValue", "Hint"])) {
            cover(item);
        }
    }
    hide_in_form(object);
}

/// Redacts the values of a form whose elements are marked as sensitive.
fn hide_in_form(object: &mut Map<String, Value>) {
    let elements = get(object, "Elements").and_then(Value::as_array);
    let names: Vec<String> = elements
        .into_iter()
        .flatten()
        .filter_map(|element| {
            let control = get(element.as_object()?, "Control")?.as_object()?;
            let name = get(element.as_object()?, "Name")?.as_str()?;
            is_marked(control).then(|| name.to_owned())
        })
        .collect();
    if names.is_empty() {
        return;
    }
    let values = object.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case("Values"));
    let Some(Value::Object(values)) = values.map(|(_, values)| values) else { return };
    for name in names {
        if let Some(value) = values.get_mut(&name) {
            cover(value);
        }
    }
}

fn get<'o>(object: &'o Map<String, Value>, key: &str) -> Option<&'o Value> {
    object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

/// Returns whether an object marks its own value as sensitive.
fn is_marked(object: &Map<String, Value>) -> bool {
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

/// Redacts texts and numbers. Values that only show whether a secret exists stay: booleans, empty
/// texts and Octopus's mask of asterisks.
fn cover(value: &mut Value) {
    match value {
        Value::String(text) if text.chars().all(|letter| letter == '*') => {}
        Value::String(_) | Value::Number(_) => *value = Value::from(HIDDEN),
        Value::Array(items) => items.iter_mut().for_each(cover),
        Value::Object(object) => object.values_mut().for_each(cover),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::octopus::document::{plain, raw};

    #[test]
    fn sensitive_values_are_hidden_and_others_stay() {
        for (document, shown) in [
            (
                json!({ "Name": "Db", "Value": "hunter2", "IsSensitive": true }),
                json!({ "Name": "Db", "Value": HIDDEN, "IsSensitive": true }),
            ),
            (
                json!({ "Name": "Pin", "Value": 4711, "Type": "Sensitive", "Id": "a" }),
                json!({ "Name": "Pin", "Value": HIDDEN, "Type": "Sensitive", "Id": "a" }),
            ),
            (
                json!({ "Password": { "HasValue": true, "NewValue": "hunter2", "Hint": "h2" } }),
                json!({ "Password": { "HasValue": true, "NewValue": HIDDEN, "Hint": HIDDEN } }),
            ),
            (
                json!({ "Key": { "IsSensitive": true, "Value": null,
                    "SensitiveValue": { "HasValue": true, "NewValue": "hunter2" } } }),
                json!({ "Key": { "IsSensitive": true, "Value": null,
                    "SensitiveValue": { "HasValue": true, "NewValue": HIDDEN } } }),
            ),
            (
                json!({ "DefaultValue": "hunter2",
                    "DisplaySettings": { "Octopus.ControlType": "Sensitive" } }),
                json!({ "DefaultValue": HIDDEN,
                    "DisplaySettings": { "Octopus.ControlType": "Sensitive" } }),
            ),
            (
                json!({ "Values": { "a": "hunter2", "b": "shown" }, "Elements": [
                    { "Name": "a", "Control": { "IsSecure": true } },
                    { "Name": "b", "Control": { "IsSecure": false } }] }),
                json!({ "Values": { "a": HIDDEN, "b": "shown" }, "Elements": [
                    { "Name": "a", "Control": { "IsSecure": true } },
                    { "Name": "b", "Control": { "IsSecure": false } }] }),
            ),
        ] {
            assert_eq!(raw(json!({ "Items": [document] })), json!({ "Items": [shown] }));
        }
        for document in [
            json!({ "Name": "Db", "Value": "shown", "IsSensitive": false, "Type": "String" }),
            json!({ "Value": "", "IsSensitive": true }),
            json!({ "Value": "********", "IsSensitive": true }),
            json!({ "HasValue": false, "NewValue": null, "Hint": null }),
            json!({ "Control": { "Type": "Checkbox" }, "DefaultValue": "True" }),
        ] {
            assert_eq!(raw(document.clone()), document);
        }
    }

    #[test]
    fn keys_in_camel_case_are_known_too() {
        let document = json!({ "value": "hunter2", "isSensitive": true, "Links": {} });
        assert_eq!(raw(document.clone()), json!({ "value": HIDDEN, "isSensitive": true }));
        assert_eq!(plain(document), json!({ "value": HIDDEN, "isSensitive": true }));
    }
}

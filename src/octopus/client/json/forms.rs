//! Output forms of documents without typed fields.

use serde_json::{Map, Value};

use super::sensitive;

/// Converts a value to answer form: keys in camel case, without `Links`, `null` fields and
/// sensitive values.
pub fn to_answer_form(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(to_answer_form).collect(),
        Value::Object(mut object) => {
            sensitive::redact(&mut object);
            object
                .into_iter()
                .filter(|(key, value)| key != "Links" && !value.is_null())
                .map(|(key, value)| (to_camel_case(&key), to_answer_form(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        value => value,
    }
}

/// Returns a document with its original keys, without `Links` and sensitive values.
pub fn without_sensitive(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_sensitive).collect(),
        Value::Object(mut object) => {
            sensitive::redact(&mut object);
            object
                .into_iter()
                .filter(|(key, _)| key != "Links")
                .map(|(key, value)| (key, without_sensitive(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        value => value,
    }
}

/// Converts a key to camel case. Keys that are IDs or user-defined names stay unchanged.
pub fn to_camel_case(key: &str) -> String {
    let mut letters = key.chars();
    match letters.next() {
        Some(first) if key.chars().all(|c| c.is_ascii_alphanumeric()) => {
            first.to_ascii_lowercase().to_string() + letters.as_str()
        }
        _ => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn converts_to_answer_form() {
        assert_eq!(
            to_answer_form(
                json!([{ "PackageId": "Web", "Links": {}, "WorkItems": [{ "Id": 1, "Links": {} }],
                "Branch": null, "Projects-1": "x" }])
            ),
            json!([{ "packageId": "Web", "workItems": [{ "id": 1 }], "Projects-1": "x" }])
        );
    }
}

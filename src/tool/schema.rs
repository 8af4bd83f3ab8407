//! JSON schemas in the plain form that every client reads: no `$ref`, no `title`, no `null` types,
//! no formats of Rust's numbers.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

/// The description of an input type, and the schema of its arguments.
pub(super) fn input<T: JsonSchema>() -> (String, Arc<JsonObject>) {
    let mut schema = plain::<T>();
    let description = match schema.remove("description") {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    schema.entry("properties").or_insert_with(|| json!({}));
    (description, Arc::new(schema))
}

/// The same for a tool that changes things: every one takes a yes and a key.
pub(super) fn changing_input<T: JsonSchema>() -> (String, Arc<JsonObject>) {
    let (description, schema) = input::<T>();
    let mut schema = Arc::unwrap_or_clone(schema);
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.insert(
            "confirm".to_owned(),
            json!({
                "type": ["string", "boolean"],
                "description": "The code of the preview, after the user's yes."
            }),
        );
        properties.insert(
            "idempotencyKey".to_owned(),
            json!({ "type": "string", "description": "Never done twice." }),
        );
    }
    (description, Arc::new(schema))
}

/// The schema of the answer of a tool that changes things.
pub(super) fn changing_output<T: JsonSchema>() -> Arc<JsonObject> {
    let mut schema = Arc::unwrap_or_clone(output::<T>());
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        let repeated = json!({
            "type": "boolean",
            "description": "The call had been made before; nothing was done again."
        });
        properties.insert("repeated".to_owned(), repeated);
    }
    Arc::new(schema)
}

/// The schema of an answer. Every answer can be cut, and then says so.
pub(super) fn output<T: JsonSchema>() -> Arc<JsonObject> {
    let mut schema = plain::<T>();
    schema.remove("description");
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        // An answer that counts what it leaves out has a `truncated` of its own.
        let cut = || json!(plain::<super::fit::Truncated>());
        properties.entry("truncated").or_insert_with(cut);
    }
    Arc::new(schema)
}

fn plain<T: JsonSchema>() -> JsonObject {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    simplify(&mut schema);
    match schema {
        Value::Object(schema) => schema,
        _ => JsonObject::new(),
    }
}

fn simplify(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.remove("$schema");
            // What a model gains nothing from: unknown names are refused with the nearest one, and a
            // number below zero or an empty list with words.
            if object.get("additionalProperties") == Some(&Value::Bool(false)) {
                object.remove("additionalProperties");
            }
            if object.get("minimum") == Some(&json!(0)) {
                object.remove("minimum");
            }
            object.remove("minItems");
            if let Some(Value::Object(items)) = object.get_mut("items") {
                items.remove("description");
            }
            if object.get("format").and_then(Value::as_str).is_some_and(is_rust_number) {
                object.remove("format");
            }
            // A field may be called `title`; a schema's title is only the name of a Rust type.
            if object.get("title").is_some_and(Value::is_string) {
                object.remove("title");
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(values)) = object.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            unwrap_alternatives(object);
            object.values_mut().for_each(simplify);
        }
        Value::Array(values) => values.iter_mut().for_each(simplify),
        _ => {}
    }
}

/// An optional enum comes as `anyOf` it or null; documented words of an enum as `oneOf` constants.
fn unwrap_alternatives(object: &mut JsonObject) {
    if let Some(Value::Array(alternatives)) = object.get_mut("anyOf") {
        alternatives.retain(|schema| schema.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = alternatives.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(alternatives)) = object.get("oneOf") {
        let words: Option<Vec<Value>> = alternatives
            .iter()
            .map(|schema| match schema {
                Value::Object(schema) => schema.get("const").cloned(),
                _ => None,
            })
            .collect();
        if let Some(words) = words {
            object.remove("oneOf");
            object.insert("type".to_owned(), json!("string"));
            object.insert("enum".to_owned(), Value::Array(words));
        }
    }
}

fn is_rust_number(format: &str) -> bool {
    matches!(
        format,
        "uint" | "uint8" | "uint16" | "uint32" | "uint64" | "int32" | "int64" | "float" | "double"
    )
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// What it is,
    /// in two lines.
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Example {
        /// A title.
        title: String,
        /// A number.
        take: Option<u32>,
        /// One of some words.
        word: Option<Word>,
        /// Things.
        things: Vec<Thing>,
    }

    #[derive(Deserialize, JsonSchema)]
    enum Word {
        /// The first.
        A,
        /// The second.
        B,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Thing {
        name: String,
    }

    #[test]
    fn a_schema_is_plain() {
        let (description, schema) = input::<Example>();
        assert_eq!(description, "What it is, in two lines.");
        assert_eq!(
            Value::Object((*schema).clone()),
            json!({
                "type": "object",
                "properties": {
                    "title": { "description": "A title.", "type": "string" },
                    "take": { "description": "A number.", "type": "integer" },
                    "word": { "description": "One of some words.", "type": "string", "enum": ["A", "B"] },
                    "things": {
                        "description": "Things.",
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": { "name": { "type": "string" } },
                            "required": ["name"]
                        }
                    }
                },
                "required": ["title", "things"]
            })
        );
    }
}

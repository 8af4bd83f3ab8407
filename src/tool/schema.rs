//! JSON schemas in a plain form that every MCP client can read: no `$ref`, `title` or `null` types,
//! and no formats of Rust numbers.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

use super::Limits;

/// The argument that limits the size of an answer.
pub(super) const MAX_BYTES: &str = "maxBytes";

/// Returns the description of an input type and the schema of its arguments. With
/// `takes_max_bytes`, the last argument is [`MAX_BYTES`].
pub(super) fn input<T: JsonSchema>(takes_max_bytes: bool) -> (String, Arc<JsonObject>) {
    let mut schema = plain_schema::<T>();
    let description = match schema.remove("description") {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if takes_max_bytes && let Value::Object(properties) = properties {
        // No `minimum` or `maximum`: other numbers are clamped, and a client that validates would
        // reject them.
        let description = "Max answer size in bytes (default {answer}, max {answer_cap}).";
        properties
            .insert(MAX_BYTES.to_owned(), json!({ "type": "integer", "description": description }));
    }
    (description, Arc::new(schema))
}

/// Returns the same for a write tool, which also takes `confirm` and `idempotencyKey`.
pub(super) fn write_input<T: JsonSchema>(takes_max_bytes: bool) -> (String, Arc<JsonObject>) {
    let (description, schema) = input::<T>(takes_max_bytes);
    let mut schema = Arc::unwrap_or_clone(schema);
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.insert(
            "confirm".to_owned(),
            json!({
                "type": ["string", "boolean"],
                "description": "Approval code from the preview, after the user approved the change."
            }),
        );
        properties.insert(
            "idempotencyKey".to_owned(),
            json!({
                "type": "string",
                "description": "Unique key of the change, 1 to 200 bytes. A repeated key is not executed again."
            }),
        );
    }
    (description, Arc::new(schema))
}

/// Returns the output schema of a write tool.
pub(super) fn write_output<T: JsonSchema>() -> Arc<JsonObject> {
    let mut schema = Arc::unwrap_or_clone(output::<T>());
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        let repeated = json!({
            "type": "boolean",
            "description": "True if the change was executed before; nothing was sent again."
        });
        properties.insert("repeated".to_owned(), repeated);
    }
    Arc::new(schema)
}

/// Returns the output schema of a tool. Every answer can be truncated and then has the field
/// `truncated`.
pub(super) fn output<T: JsonSchema>() -> Arc<JsonObject> {
    let mut schema = plain_schema::<T>();
    schema.remove("description");
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        // Tools that count omitted items themselves have their own `truncated`.
        let truncated = || json!(plain_schema::<super::answer::truncate::Truncated>());
        properties.entry("truncated").or_insert_with(truncated);
    }
    schema.values_mut().for_each(remove_zero_minimum);
    Arc::new(schema)
}

fn plain_schema<T: JsonSchema>() -> JsonObject {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    simplify(&mut schema);
    match schema {
        Value::Object(schema) => schema,
        _ => JsonObject::new(),
    }
}

/// Replaces the placeholders in the descriptions of arguments by the limits of this server.
pub(super) fn fill_limits(schema: &mut JsonObject, limits: &Limits) {
    let Limits { answer, answer_cap, take, take_cap } = limits;
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for argument in properties.values_mut() {
        if let Some(Value::String(text)) = argument.get_mut("description")
            && text.contains('{')
        {
            *text = text
                .replace("{answer}", &answer.to_string())
                .replace("{answer_cap}", &answer_cap.to_string())
                .replace("{take}", &take.to_string())
                .replace("{take_cap}", &take_cap.to_string());
        }
    }
}

/// Removes `minimum: 0` of unsigned numbers, which is redundant in an answer.
fn remove_zero_minimum(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("minimum") == Some(&json!(0)) {
                object.remove("minimum");
            }
            object.values_mut().for_each(remove_zero_minimum);
        }
        Value::Array(values) => values.iter_mut().for_each(remove_zero_minimum),
        _ => {}
    }
}

fn simplify(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.remove("$schema");
            // These keywords only cost tokens: the server rejects unknown names with the nearest
            // name, and empty lists with an explanation.
            if object.get("additionalProperties") == Some(&Value::Bool(false)) {
                object.remove("additionalProperties");
            }
            object.remove("minItems");
            if let Some(Value::Object(items)) = object.get_mut("items") {
                items.remove("description");
            }
            if object.get("format").and_then(Value::as_str).is_some_and(is_rust_number) {
                object.remove("format");
            }
            // The title of a schema is the name of a Rust type.
            object.remove("title");
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
            for (keyword, value) in object.iter_mut() {
                match (keyword.as_str(), value) {
                    // Values, not schemas.
                    ("default" | "examples" | "enum" | "const", _) => {}
                    // The keys are names of fields, not keywords.
                    ("properties", Value::Object(fields)) => {
                        fields.values_mut().for_each(simplify);
                    }
                    (_, value) => simplify(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(simplify),
        _ => {}
    }
}

/// Simplifies the output of schemars: an optional enum is `anyOf` the enum or null, and documented
/// enum values are `oneOf` constants.
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
        let values: Option<Vec<Value>> = alternatives
            .iter()
            .map(|schema| match schema {
                Value::Object(schema) => schema.get("const").cloned(),
                _ => None,
            })
            .collect();
        if let Some(values) = values {
            object.remove("oneOf");
            object.insert("type".to_owned(), json!("string"));
            object.insert("enum".to_owned(), Value::Array(values));
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

    /// A description
    /// in two lines.
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Example {
        /// A title.
        title: String,
        /// A number, {take}.
        #[schemars(range(min = 1, max = 9), example = 5, extend("default" = 3))]
        take: Option<u32>,
        /// One of two values.
        word: Option<Word>,
        /// Things.
        #[schemars(example = json!([{ "title": "x" }]))]
        things: Vec<Thing>,
        /// Items.
        items: Option<bool>,
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
    fn produces_plain_schemas() {
        let (description, mut schema) = input::<Example>(true);
        let limits = Limits { answer: 1, answer_cap: 2, take: 3, take_cap: 4 };
        fill_limits(Arc::make_mut(&mut schema), &limits);
        assert_eq!(description, "A description in two lines.");
        assert_eq!(
            Value::Object((*schema).clone()),
            json!({
                "type": "object",
                "properties": {
                    "title": { "description": "A title.", "type": "string" },
                    "take": {
                        "description": "A number, 3.",
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 9,
                        "examples": [5],
                        "default": 3
                    },
                    "word": { "description": "One of two values.", "type": "string", "enum": ["A", "B"] },
                    "things": {
                        "description": "Things.",
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": { "name": { "type": "string" } },
                            "required": ["name"]
                        },
                        "examples": [[{ "title": "x" }]]
                    },
                    "items": { "description": "Items.", "type": "boolean" },
                    "maxBytes": {
                        "description": "Max answer size in bytes (default 1, max 2).",
                        "type": "integer"
                    }
                },
                "required": ["title", "things"]
            })
        );
    }
}

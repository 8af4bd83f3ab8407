//! The headers that repeat arguments of a tool call (`x-mcp-header`).

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use octopus_mcp::{app, tool::Catalog};
use serde_json::Value;

/// Returns the headers that repeat arguments of a call, as the tool listing declares them.
pub fn argument_headers(tool: &str, arguments: &Value) -> Vec<(String, String)> {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(app::catalog);
    let Some(entry) = CATALOG.get(tool) else { return Vec::new() };
    let properties = entry.model.input_schema["properties"].as_object().unwrap();
    let named = properties.iter().filter_map(|(argument, schema)| {
        let header = schema.get("x-mcp-header")?.as_str().unwrap().to_ascii_lowercase();
        let value = match &arguments[argument] {
            Value::String(text) => text.clone(),
            value if value.is_number() || value.is_boolean() => value.to_string(),
            _ => return None,
        };
        let is_plain = value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
            && value.trim() == value
            && !value.is_empty();
        let value =
            if is_plain { value } else { format!("=?base64?{}?=", BASE64_STANDARD.encode(value)) };
        Some((format!("mcp-param-{header}"), value))
    });
    named.collect()
}

//! The reference of all settings, written from the tree: `config/reference.toml`.

use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Config;

/// One setting of the tree.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// Where it stands, for example `http.listen`.
    pub(super) key: String,
}

impl Setting {
    /// Where it stands in the tree as JSON (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        format!("/{}", self.key.replace('.', "/"))
    }
}

/// Every setting, in the order of the tree.
pub(super) fn settings() -> Vec<Setting> {
    let mut found = Vec::new();
    walk("", &schema(), &defaults(), &mut |key, schema, _| {
        if !is_section(schema) {
            found.push(Setting { key: key.to_owned() });
        }
    });
    found
}

/// The text of `config/reference.toml`: every setting with its documentation and its default.
pub fn reference() -> String {
    let mut text = String::from(
        "# Every setting with its default. Generated from src/config/mod.rs; do not edit.\n\
         #\n\
         # Layers, each over the one before: these defaults; the file given with --config;\n\
         # environment variables (http.listen is OCTOPUS_MCP_HTTP__LISTEN); command-line flags.\n\
         # Sizes are bytes, or written like `64 KiB`. Periods are written like `30s` or `5m`.\n",
    );
    walk("", &schema(), &defaults(), &mut |key, schema, default| {
        text.push('\n');
        for line in wrap(&doc(schema), 97) {
            let _ = writeln!(text, "# {line}");
        }
        let name = key.rsplit('.').next().unwrap_or(key);
        let _ = if is_section(schema) {
            writeln!(text, "[{key}]")
        } else if default.is_null() {
            writeln!(text, "# {name} =")
        } else {
            writeln!(text, "{name} = {default}")
        };
    });
    text
}

fn schema() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Config>().to_value()
}

fn defaults() -> Value {
    serde_json::to_value(Config::default()).unwrap_or_default()
}

fn is_section(schema: &Value) -> bool {
    schema.get("properties").is_some()
}

fn doc(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ")
}

/// Visits sections and settings, a section's plain settings before the sections in it, as TOML
/// needs them.
fn walk(
    prefix: &str,
    schema: &Value,
    default: &Value,
    visit: &mut impl FnMut(&str, &Value, &Value),
) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for sections in [false, true] {
        for (name, schema) in properties.iter().filter(|(_, s)| is_section(s) == sections) {
            let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            let default = default.get(name).unwrap_or(&Value::Null);
            visit(&key, schema, default);
            walk(&key, schema, default, visit);
        }
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_documented() {
        let mut silent = Vec::new();
        walk("", &schema(), &defaults(), &mut |key, schema, _| {
            if doc(schema).is_empty() {
                silent.push(key.to_owned());
            }
        });
        assert_eq!(silent, [""; 0]);
        assert!(settings().len() > 30);
    }

    #[test]
    fn the_reference_reads_as_the_defaults() {
        let read: Config = toml_text(&reference());
        assert_eq!(
            serde_json::to_value(read).unwrap(),
            serde_json::to_value(Config::default()).unwrap()
        );
    }

    fn toml_text(text: &str) -> Config {
        use figment::providers::{Format, Toml};
        figment::Figment::from(Toml::string(text)).extract().unwrap()
    }
}

//! Generates the reference of all settings, `config/reference.toml`, from the settings tree.

use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::Config;

/// A setting in the tree.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// Key, e.g. `http.listen`. `*` stands for a name that the user chooses, as in
    /// `instances.*.url`.
    pub(super) key: String,
}

/// Placeholder in keys for a name that the user chooses.
const WILDCARD: &str = "*";
/// Placeholder in the reference for a name that the user chooses.
const NAME_PLACEHOLDER: &str = "NAME";

impl Setting {
    /// Returns whether this is the setting with the given key.
    pub(super) fn matches(&self, key: &str) -> bool {
        let (mut segments, mut key_segments) = (self.key.split('.'), key.split('.'));
        segments
            .by_ref()
            .zip(key_segments.by_ref())
            .all(|(segment, name)| segment == WILDCARD || segment == name)
            && self.key.split('.').count() == key.split('.').count()
    }

    /// Returns the key with its placeholders replaced by the names at the same positions in `key`.
    pub(super) fn with_names_of(&self, key: &str) -> String {
        let segments =
            self.key.split('.').zip(key.split('.').map(Some).chain(std::iter::repeat(None)));
        let named = segments.map(|(segment, name)| {
            if segment == WILDCARD { name.unwrap_or(NAME_PLACEHOLDER) } else { segment }
        });
        named.collect::<Vec<_>>().join(".")
    }

    /// Returns the keys and values of this setting in a tree, one for each name chosen by the user.
    pub(super) fn values<'a>(&self, tree: &'a Value) -> Vec<(String, &'a Value)> {
        let mut found = vec![(String::new(), tree)];
        for segment in self.key.split('.') {
            let join = |key: String, name: &str| {
                if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") }
            };
            found = found
                .into_iter()
                .flat_map(|(key, value)| match (segment, value) {
                    (WILDCARD, Value::Object(object)) => object
                        .iter()
                        .map(|(name, value)| (join(key.clone(), name), value))
                        .collect::<Vec<_>>(),
                    _ => value
                        .get(segment)
                        .map(|value| (join(key, segment), value))
                        .into_iter()
                        .collect(),
                })
                .collect();
        }
        found
    }
}

/// Returns all settings in tree order.
pub(super) fn settings() -> Vec<Setting> {
    let mut found = Vec::new();
    visit_settings("", &schema(), &defaults(), &mut |key, schema, _| {
        if !is_section(schema) {
            found.push(Setting { key: key.to_owned() });
        }
    });
    found
}

/// Returns the content of `config/reference.toml`: every setting with its documentation and
/// default.
pub fn reference() -> String {
    let mut text = String::from(
        "# Every setting with its default. Generated from src/config/mod.rs; do not edit.\n\
         #\n\
         # Layers, each over the one before: these defaults; the file given with --config;\n\
         # environment variables (http.listen is OCTOPUS_MCP_HTTP__LISTEN); command-line flags.\n\
         # Sizes are bytes, or written like `64 KiB`. Periods are written like `30s` or `5m`.\n",
    );
    let mut sections: Vec<(String, Value)> = Vec::new();
    let mut documented: Option<String> = None;
    visit_settings("", &schema(), &defaults(), &mut |key, schema, default| {
        if documented.as_ref().is_some_and(|documented| key.starts_with(documented)) {
            return;
        }
        text.push('\n');
        write_doc(&mut text, schema);
        let name = key.rsplit('.').next().unwrap_or(key);
        let (pattern, key) = (key, key.replace(WILDCARD, NAME_PLACEHOLDER));
        // A section with a name that the user chooses exists only if the user writes it.
        let out = if key.contains(NAME_PLACEHOLDER) { "# " } else { "" };
        let fields = schema.get("properties");
        let known = sections.iter().find(|(_, known)| Some(known) == fields);
        let _ = if let Some((same, _)) = known {
            documented = Some(format!("{pattern}."));
            writeln!(text, "# [{key}]\n# takes the settings of [{same}].")
        } else if is_section(schema) {
            sections.extend(fields.map(|fields| (key.clone(), fields.clone())));
            writeln!(text, "{out}[{key}]")
        } else if let Some(fields) = table_fields(schema) {
            write_table(&mut text, &key, fields);
            Ok(())
        } else if default.is_null() {
            writeln!(text, "# {name} =")
        } else {
            writeln!(text, "{out}{name} = {default}")
        };
    });
    text
}

fn write_doc(text: &mut String, schema: &Value) {
    for line in wrap(&description(schema), 97) {
        let _ = writeln!(text, "# {line}");
    }
}

/// Returns the fields of an array of tables.
fn table_fields(schema: &Value) -> Option<&Map<String, Value>> {
    schema.pointer("/items/properties")?.as_object()
}

/// Writes an array of tables as a commented example, because it has no default to show.
fn write_table(text: &mut String, key: &str, fields: &Map<String, Value>) {
    let _ = writeln!(text, "# [[{key}]]");
    for (name, schema) in fields {
        write_doc(text, schema);
        let _ = writeln!(text, "# {name} =");
    }
}

fn schema() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Config>().to_value()
}

fn defaults() -> Value {
    serde_json::to_value(Config::default()).unwrap_or_default()
}

/// Returns whether a schema is a section, which contains settings or named sections.
fn is_section(schema: &Value) -> bool {
    schema.get("properties").is_some() || named_section_schema(schema).is_some()
}

/// Returns the schema of each named section, if the user chooses the names.
fn named_section_schema(schema: &Value) -> Option<&Value> {
    schema.get("additionalProperties").filter(|schema| schema.get("properties").is_some())
}

fn description(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ")
}

/// Visits sections and settings. TOML requires that the plain settings of a section precede its
/// subsections.
fn visit_settings(
    prefix: &str,
    schema: &Value,
    default: &Value,
    visit: &mut impl FnMut(&str, &Value, &Value),
) {
    if let Some(schema) = named_section_schema(schema) {
        let key = format!("{prefix}.{WILDCARD}");
        let default = schema.get("default").unwrap_or(&Value::Null);
        visit(&key, schema, default);
        return visit_settings(&key, schema, default, visit);
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for sections in [false, true] {
        for (name, schema) in properties.iter().filter(|(_, s)| is_section(s) == sections) {
            let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            let default = default.get(name).unwrap_or(&Value::Null);
            visit(&key, schema, default);
            visit_settings(&key, schema, default, visit);
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
        visit_settings("", &schema(), &defaults(), &mut |key, schema, _| {
            if description(schema).is_empty() {
                silent.push(key.to_owned());
            }
        });
        assert_eq!(silent, [""; 0]);
        assert!(settings().len() > 30);
    }

    #[test]
    fn reference_parses_to_the_defaults() {
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

//! Merges the configuration layers and collects all mistakes in them.

use std::{collections::BTreeMap, path::PathBuf};

use figment::{Figment, error::Kind, providers::Serialized, value::Value};

use super::{
    Config, ConfigError, LoadedConfig,
    layers::{self, LayerEntry},
    mistakes::{displayed_value, value_mistakes},
    reference::{Setting, settings},
    validate,
};

/// Settings from the command line.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// File given with `--config`.
    pub file: Option<PathBuf>,
    values: Vec<(&'static str, &'static str, String)>,
}

impl Flags {
    /// Sets the setting `key` to the value of `flag`, if the flag was given.
    pub fn set(&mut self, flag: &'static str, key: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.values.push((flag, key, value.to_string()));
        }
    }

    fn entries(&self) -> impl Iterator<Item = LayerEntry> + '_ {
        self.values.iter().map(|(flag, key, text)| LayerEntry {
            key: (*key).to_owned(),
            value: text.parse().unwrap_or_else(|_| Value::from(text.as_str())),
            text: Some(text.clone()),
            origin: format!("flag {flag}"),
        })
    }
}

/// Loads all layers: defaults, file, environment of this process, flags.
pub fn load(flags: &Flags) -> LoadedConfig {
    load_from(
        flags,
        std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }),
    )
}

fn load_from(flags: &Flags, variables: impl IntoIterator<Item = (String, String)>) -> LoadedConfig {
    let all_settings = settings();
    let mut loaded = LoadedConfig::default();
    let mut entries = Vec::new();
    if let Some(path) = &flags.file {
        match layers::parse_file(path, |key| {
            all_settings.iter().any(|setting| setting.matches(key))
        }) {
            Ok(read) => entries.extend(read),
            Err(mistake) => {
                loaded.errors.push(mistake);
                loaded.lacks_file = true;
            }
        }
    }
    entries.extend(layers::parse_environment(variables));
    entries.extend(flags.entries());

    let mut figment = Figment::from(Serialized::defaults(BTreeMap::<String, Value>::new()));
    for entry in entries {
        match check_entry(&entry, &all_settings) {
            Ok(value) => {
                figment = figment.merge(Serialized::default(&entry.key, value));
                loaded.origins.insert(entry.key, entry.origin);
            }
            Err(messages) => {
                let is_known = all_settings.iter().any(|setting| setting.matches(&entry.key));
                let value = displayed_value(&entry, is_known);
                let mistake = |message| ConfigError {
                    key: entry.key.clone(),
                    value: value.clone(),
                    origin: entry.origin.clone(),
                    message,
                };
                loaded.errors.extend(messages.into_iter().map(mistake));
                loaded.unreadable.insert(entry.key);
            }
        }
    }
    match figment.extract() {
        Ok(config) => loaded.config = config,
        // Each entry was checked separately before, so an error here is a bug of the server.
        Err(error) => loaded.add_error("settings", &error.to_string()),
    }
    validate::validate(&mut loaded);
    loaded
}

/// Checks one entry separately, so that each mistake is found independently of the others.
///
/// # Errors
/// Returns a message for each unreadable value of the entry.
fn check_entry(entry: &LayerEntry, all_settings: &[Setting]) -> Result<Value, Vec<String>> {
    if !all_settings.iter().any(|setting| setting.matches(&entry.key)) {
        let nearest = all_settings
            .iter()
            .map(|setting| setting.with_names_of(&entry.key))
            .map(|key| (strsim::jaro_winkler(&entry.key, &key), key))
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        return Err(vec![match nearest {
            Some((_, key)) => format!("unknown setting; did you mean `{key}`?"),
            None => "unknown setting".to_owned(),
        }]);
    }
    let check = |value: &Value| -> Result<(), Kind> {
        let tree = Figment::from(Serialized::default(&entry.key, value));
        tree.extract::<Config>().map(|_| ()).map_err(|error| error.kind)
    };
    // A variable that looks like a number can be text: `OCTOPUS_MCP_OCTOPUS__SPACE=42`.
    if check(&entry.value).is_ok() {
        return Ok(entry.value.clone());
    }
    if let Some(text) = entry.text.as_deref().map(Value::from)
        && check(&text).is_ok()
    {
        return Ok(text);
    }
    Err(value_mistakes(&entry.key, &entry.value, &check))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigErrors;

    fn load_variables(variables: &[(&str, &str)]) -> LoadedConfig {
        let variables = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        load_from(&Flags::default(), variables)
    }

    #[test]
    fn reports_all_errors_with_key_value_and_origin() {
        let mut flags = Flags::default();
        flags.set("--listen", "http.listen", Some("nowhere"));
        let variables = [
            ("OCTOPUS_MCP_HTTP__BODY_LIMIT", "much"),
            ("OCTOPUS_MCP_HTPP__LISTEN", "127.0.0.1:1"),
            ("OCTOPUS_SERVER_URL", "octopus"),
        ];
        let variables = variables.map(|(n, v)| (n.to_owned(), v.to_owned()));
        let ConfigErrors(mistakes) = load_from(&flags, variables).into_config().unwrap_err();
        let reported: Vec<_> = mistakes
            .iter()
            .map(|m| (m.key.as_str(), m.value.as_str(), m.origin.as_str()))
            .collect();
        assert_eq!(
            reported,
            [
                ("octopus.url", "octopus", "environment variable OCTOPUS_SERVER_URL"),
                ("http.body_limit", "much", "environment variable OCTOPUS_MCP_HTTP__BODY_LIMIT"),
                ("htpp.listen", "127.0.0.1:1", "environment variable OCTOPUS_MCP_HTPP__LISTEN"),
                ("http.listen", "nowhere", "flag --listen"),
            ]
        );
        assert!(mistakes[2].message.contains("`http.listen`"), "{}", mistakes[2].message);
    }

    #[test]
    fn later_layers_override_earlier_ones() {
        let mut flags = Flags::default();
        flags.set("--listen", "http.listen", Some("127.0.0.1:3"));
        let variable = ("OCTOPUS_MCP_HTTP__LISTEN".to_owned(), "127.0.0.1:2".to_owned());
        let loaded = load_from(&flags, [variable]);
        assert_eq!(loaded.config().http.listen.port(), 3);
        assert_eq!(loaded.origin("http.listen"), "flag --listen");
        assert_eq!(loaded.origin("http.body_limit"), "default");
    }

    #[test]
    fn numeric_variable_can_be_text() {
        let loaded = load_variables(&[("OCTOPUS_MCP_OCTOPUS__SPACE", "42")]);
        assert_eq!(loaded.config().octopus.space.as_deref(), Some("42"));
    }

    #[test]
    fn parses_lists_with_commas_or_as_arrays() {
        for written in ["core,projects", "core, projects ,", r#"["core", "projects"]"#] {
            let loaded = load_variables(&[("OCTOPUS_MCP_TOOLS__TOOLSETS", written)]);
            assert_eq!(loaded.config().tools.toolsets.0, ["core", "projects"], "{written}");
        }
    }

    #[test]
    fn broken_file_has_no_follow_up_mistakes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broken.toml");
        std::fs::write(&path, "[octopus\n").unwrap();
        let flags = Flags { file: Some(path), ..Flags::default() };
        let ConfigErrors(mistakes) = load_from(&flags, []).into_config().unwrap_err();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert_eq!(mistakes[0].key, "--config");
    }

    #[test]
    fn secrets_are_masked_in_output() {
        let loaded = load_variables(&[("OCTOPUS_API_KEY", "API-TOPSECRET")]);
        assert!(!format!("{loaded:?} {:?}", loaded.effective_settings()).contains("TOPSECRET"));
        let wrong = load_variables(&[("OCTOPUS_MCP_OCTOPUS__API_KEYS", "API-TOPSECRET")]);
        assert!(!wrong.into_config().unwrap_err().to_string().contains("TOPSECRET"));
    }
}

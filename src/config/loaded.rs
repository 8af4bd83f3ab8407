//! The merged settings, with the origin of each value and the mistakes in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Config, reference::settings};

/// A mistake in the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Key of the setting, e.g. `http.listen`.
    pub key: String,
    /// Value as written; masked if it is a secret.
    pub value: String,
    /// Layer that contains the value, e.g. `flag --listen`.
    pub origin: String,
    /// Description of the mistake and how to correct it.
    pub message: String,
}

/// All mistakes in the settings; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} in the settings:",
            match self.0.len() {
                1 => "1 mistake".to_owned(),
                many => format!("{many} mistakes"),
            }
        )?;
        for ConfigError { key, value, origin, message } in &self.0 {
            write!(f, "\n  {key} = {value} ({origin})\n    {message}")?;
        }
        Ok(())
    }
}

/// The merged settings with their origins and mistakes.
#[derive(Debug, Default)]
pub struct LoadedConfig {
    pub(super) config: Config,
    pub(super) origins: BTreeMap<String, String>,
    pub(super) errors: Vec<ConfigError>,
}

/// Returns every setting as key and TOML value. Secrets are masked.
fn values(config: &Config) -> Vec<(String, String)> {
    let tree = serde_json::to_value(config).unwrap_or_default();
    let to_text = |(key, value): (String, &serde_json::Value)| {
        (key, if value.is_null() { "not set".to_owned() } else { value.to_string() })
    };
    settings().iter().flat_map(|setting| setting.values(&tree)).map(to_text).collect()
}

impl LoadedConfig {
    /// Returns the settings, even if they contain mistakes.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the origin of a setting: a layer, or `default`.
    pub fn origin(&self, key: &str) -> &str {
        self.origins.get(key).map_or("default", String::as_str)
    }

    /// Returns the precedence of the layer of a setting. A higher layer overrides a lower one.
    pub(super) fn layer_rank(&self, key: &str) -> usize {
        let origin = self.origin(key);
        ["file ", "environment ", "flag "]
            .iter()
            .position(|layer| origin.starts_with(layer))
            .map_or(0, |index| index + 1)
    }

    /// Adds a mistake, unless the setting already has a mistake: a setting with an invalid value
    /// has its default in the tree.
    pub fn add_error(&mut self, key: &str, message: &str) {
        if self.errors.iter().any(|mistake| mistake.key == key) {
            return;
        }
        let value = self
            .effective_settings()
            .into_iter()
            .find_map(|(setting, value, _)| (setting == key).then_some(value))
            .unwrap_or_else(|| "not set".to_owned());
        let origin = self.origin(key).to_owned();
        let message = message.to_owned();
        self.errors.push(ConfigError { key: key.to_owned(), value, origin, message });
    }

    /// Removes mistakes in settings that a command does not need.
    pub fn drop_errors(&mut self, is_unneeded: impl Fn(&str) -> bool) {
        self.errors.retain(|mistake| !is_unneeded(&mistake.key));
    }

    /// Returns every setting as key, TOML value and origin. Secrets are masked.
    pub fn effective_settings(&self) -> Vec<(String, String, String)> {
        let with_origin = |(key, value): (String, String)| {
            let origin = self.origin(&key).to_owned();
            (key, value, origin)
        };
        values(&self.config).into_iter().map(with_origin).collect()
    }

    /// Returns the settings that differ from their defaults, in the form of
    /// [`effective_settings`](Self::effective_settings). Settings below a name that the user chose,
    /// such as the settings of an instance, have no default.
    pub fn changed(&self) -> Vec<(String, String, String)> {
        let defaults: BTreeSet<(String, String)> = values(&Config::default()).into_iter().collect();
        let is_changed = |(key, value, _): &(String, String, String)| {
            !defaults.contains(&(key.clone(), value.clone()))
        };
        self.effective_settings().into_iter().filter(is_changed).collect()
    }

    /// Returns the settings.
    ///
    /// # Errors
    /// Returns all mistakes if there are any.
    pub fn into_config(self) -> Result<Config, ConfigErrors> {
        if self.errors.is_empty() { Ok(self.config) } else { Err(ConfigErrors(self.errors)) }
    }
}

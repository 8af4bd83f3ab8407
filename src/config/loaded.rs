//! The merged settings, with the origin of each value and the mistakes in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Config, InstanceSettings, Secret, reference::settings, values::mask_url_credentials};

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

/// Key of mistakes in the settings file as a whole.
pub(super) const FILE_KEY: &str = "--config";
/// Maximum number of characters of a value in the text of the mistakes.
const MAX_VALUE_CHARS: usize = 200;

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
            let shown: String = value.chars().take(MAX_VALUE_CHARS).collect();
            let rest = if shown.len() < value.len() { "..." } else { "" };
            write!(f, "\n  {key} = {shown}{rest} ({origin})\n    {message}")?;
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
    /// Keys with a value that cannot be parsed. They have their default in the tree.
    pub(super) unreadable: BTreeSet<String>,
    /// Whether the settings file cannot be read. Then most settings are missing.
    pub(super) lacks_file: bool,
}

/// Returns every setting as key and TOML value. Secrets are masked.
fn values(config: &Config) -> Vec<(String, String)> {
    let tree = serde_json::to_value(config).unwrap_or_default();
    let to_text = |(key, value): (String, &serde_json::Value)| {
        let text = match value {
            serde_json::Value::Null => "not set".to_owned(),
            // Users paste the token itself instead of its hash.
            serde_json::Value::String(text) if key.ends_with(".sha256") && !is_hash(text) => {
                Secret::MASK.to_owned()
            }
            serde_json::Value::String(text) => {
                serde_json::Value::from(mask_url_credentials(text)).to_string()
            }
            other => other.to_string(),
        };
        (key, text)
    };
    settings().iter().flat_map(|setting| setting.values(&tree)).map(to_text).collect()
}

fn is_hash(text: &str) -> bool {
    text.is_empty() || (text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit()))
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

    /// Returns whether a mistake in this setting is known.
    pub fn has_error(&self, key: &str) -> bool {
        self.lacks_file || self.errors.iter().any(|mistake| mistake.key == key)
    }

    /// Adds a mistake.
    ///
    /// Skips mistakes that follow from another one: a setting that cannot be parsed has its default
    /// in the tree, and without the settings file most settings are missing.
    pub fn add_error(&mut self, key: &str, message: &str) {
        let is_known = |mistake: &ConfigError| mistake.key == key && mistake.message == message;
        if self.lacks_file || self.unreadable.contains(key) || self.errors.iter().any(is_known) {
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

    /// Removes mistakes in settings that a command does not need. A settings file that cannot be
    /// read remains a mistake.
    pub fn drop_errors(&mut self, is_unneeded: impl Fn(&str) -> bool) {
        self.errors.retain(|mistake| mistake.key == FILE_KEY || !is_unneeded(&mistake.key));
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

impl Config {
    /// Returns the keys of the settings whose values differ from those of `before`, in tree order.
    /// A key below a name that the user chose appears if one of both has it. Secrets of instances
    /// are compared too.
    pub fn changed_settings(&self, before: &Self) -> Vec<String> {
        let (new, old) = (comparable(self), comparable(before));
        let differs = |(key, value): &&(String, String)| {
            !old.iter().any(|(other, before)| other == key && before == value)
        };
        let mut keys: Vec<String> =
            new.iter().filter(differs).map(|(key, _)| key.clone()).collect();
        let is_removed = |(key, _): &&(String, String)| !new.iter().any(|(other, _)| other == key);
        keys.extend(old.iter().filter(is_removed).map(|(key, _)| key.clone()));
        keys.dedup();
        keys
    }
}

/// Returns every setting as key and value, with the clear text of secrets that a reload replaces.
/// Never print the values.
fn comparable(config: &Config) -> Vec<(String, String)> {
    let secrets = |(_, key, instance): (&str, String, &InstanceSettings)| {
        let expose = |secret: &Option<Secret>| {
            secret.as_ref().map(Secret::expose).unwrap_or_default().to_owned()
        };
        let groups = instance.groups.iter().map(|group| expose(&group.api_key));
        [
            (format!("{key}.api_key"), expose(&instance.api_key)),
            (format!("{key}.access_token"), expose(&instance.access_token)),
            (format!("{key}.groups"), groups.collect::<Vec<_>>().join("\n")),
        ]
    };
    let mut all = values(config);
    let instances = config.instances_with_keys();
    for (key, secret) in instances.into_iter().flat_map(secrets) {
        if let Some((_, value)) = all.iter_mut().find(|(other, _)| *other == key) {
            value.push_str(&secret);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_settings_include_secrets_and_named_sections() {
        let before = Config::default();
        let mut after = Config::default();
        after.tools.take = 7;
        after.octopus.api_key = Some(Secret::from("API-NEW".to_owned()));
        after.auth.tokens.insert("ci".to_owned(), crate::config::TokenSettings::default());
        let changed = after.changed_settings(&before);
        for key in ["tools.take", "octopus.api_key", "auth.tokens.ci.scope"] {
            assert!(changed.iter().any(|changed| changed == key), "{key}: {changed:?}");
        }
        let mut rotated = after.clone();
        rotated.octopus.api_key = Some(Secret::from("API-NEWER".to_owned()));
        assert_eq!(rotated.changed_settings(&after), ["octopus.api_key"]);
        assert_eq!(after.changed_settings(&after), [""; 0]);
        assert!(before.changed_settings(&after).contains(&"auth.tokens.ci.scope".to_owned()));
    }
}

//! Merges the configuration layers and collects all mistakes in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
};

use figment::{Figment, providers::Serialized, value::Value};

use super::{
    Config, Secret,
    layers::{self, Entry},
    reference::{Setting, settings},
    validate,
    values::without_password,
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

    fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.values.iter().map(|(flag, key, text)| Entry {
            key: (*key).to_owned(),
            value: text.parse().unwrap_or_else(|_| Value::from(text.as_str())),
            text: Some(text.clone()),
            origin: format!("flag {flag}"),
        })
    }
}

/// A mistake in the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
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
pub struct Mistakes(pub Vec<Mistake>);

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} in the settings:",
            match self.0.len() {
                1 => "1 mistake".to_owned(),
                many => format!("{many} mistakes"),
            }
        )?;
        for Mistake { key, value, origin, message } in &self.0 {
            write!(f, "\n  {key} = {value} ({origin})\n    {message}")?;
        }
        Ok(())
    }
}

/// The merged settings with their origins and mistakes.
#[derive(Debug)]
pub struct Loaded {
    config: Config,
    origins: BTreeMap<String, String>,
    mistakes: Vec<Mistake>,
}

/// Loads all layers: defaults, file, environment of this process, flags.
pub fn load(flags: &Flags) -> Loaded {
    load_from(
        flags,
        std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }),
    )
}

fn load_from(flags: &Flags, variables: impl IntoIterator<Item = (String, String)>) -> Loaded {
    let known = settings();
    let mut loaded =
        Loaded { config: Config::default(), origins: BTreeMap::new(), mistakes: Vec::new() };
    let mut entries = Vec::new();
    if let Some(path) = &flags.file {
        match layers::file(path, |key| known.iter().any(|setting| setting.is(key))) {
            Ok(read) => entries.extend(read),
            Err(mistake) => loaded.mistakes.push(mistake),
        }
    }
    entries.extend(layers::environment(variables));
    entries.extend(flags.entries());

    let mut figment = Figment::from(Serialized::defaults(BTreeMap::<String, Value>::new()));
    for entry in entries {
        match check(&entry, &known) {
            Ok(value) => {
                figment = figment.merge(Serialized::default(&entry.key, value));
                loaded.origins.insert(entry.key, entry.origin);
            }
            Err(message) => loaded.mistakes.push(Mistake {
                value: shown(&entry),
                key: entry.key,
                origin: entry.origin,
                message,
            }),
        }
    }
    match figment.extract() {
        Ok(config) => loaded.config = config,
        // Each entry was checked alone before, so this is a bug of the server. It is reported all
        // the same.
        Err(error) => loaded.refuse("settings", &error.to_string()),
    }
    validate::validate(&mut loaded);
    loaded
}

/// Checks one entry alone, so that each mistake is found independently of the others.
fn check(entry: &Entry, known: &[Setting]) -> Result<Value, String> {
    if !known.iter().any(|setting| setting.is(&entry.key)) {
        let nearest = known
            .iter()
            .map(|setting| setting.named_as(&entry.key))
            .map(|key| (strsim::jaro_winkler(&entry.key, &key), key))
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        return Err(match nearest {
            Some((_, key)) => format!("unknown setting; did you mean `{key}`?"),
            None => "unknown setting".to_owned(),
        });
    }
    let alone = |value: &Value| {
        let tree = Figment::from(Serialized::default(&entry.key, value));
        tree.extract::<Config>().map(|_| ()).map_err(|error| error.kind.to_string())
    };
    // A variable that looks like a number may be text: `OCTOPUS_MCP_OCTOPUS__SPACE=42`.
    let Err(error) = alone(&entry.value) else { return Ok(entry.value.clone()) };
    if let Some(text) = entry.text.as_deref().map(Value::from)
        && alone(&text).is_ok()
    {
        return Ok(text);
    }
    Err(format!("invalid value: {error}"))
}

fn shown(entry: &Entry) -> String {
    if entry.key.contains("key") || entry.key.contains("token") || entry.key.contains("secret") {
        return Secret::MASK.to_owned();
    }
    let json = || serde_json::to_string(&entry.value).unwrap_or_default();
    without_password(&entry.text.clone().unwrap_or_else(json))
}

/// Returns every setting as key and TOML value. Secrets are masked.
fn values(config: &Config) -> Vec<(String, String)> {
    let tree = serde_json::to_value(config).unwrap_or_default();
    let written = |(key, value): (String, &serde_json::Value)| {
        (key, if value.is_null() { "not set".to_owned() } else { value.to_string() })
    };
    settings().iter().flat_map(|setting| setting.values(&tree)).map(written).collect()
}

impl Loaded {
    /// Returns the settings, even if they contain mistakes.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the origin of a setting: a layer, or `default`.
    pub fn origin(&self, key: &str) -> &str {
        self.origins.get(key).map_or("default", String::as_str)
    }

    /// Returns the precedence of the layer of a setting. A higher layer overrides a lower one.
    pub(super) fn layer(&self, key: &str) -> usize {
        let origin = self.origin(key);
        ["file ", "environment ", "flag "]
            .iter()
            .position(|layer| origin.starts_with(layer))
            .map_or(0, |place| place + 1)
    }

    /// Adds a mistake in a setting that has none yet. A setting with an invalid value has its
    /// default in the tree, so it is not checked again.
    pub fn refuse(&mut self, key: &str, message: &str) {
        if self.mistakes.iter().any(|mistake| mistake.key == key) {
            return;
        }
        let value = self
            .effective()
            .into_iter()
            .find_map(|(known, value, _)| (known == key).then_some(value))
            .unwrap_or_else(|| "not set".to_owned());
        let origin = self.origin(key).to_owned();
        let message = message.to_owned();
        self.mistakes.push(Mistake { key: key.to_owned(), value, origin, message });
    }

    /// Removes mistakes in settings that a command does not need.
    pub fn forgive(&mut self, is_needless: impl Fn(&str) -> bool) {
        self.mistakes.retain(|mistake| !is_needless(&mistake.key));
    }

    /// Returns every setting as key, TOML value and origin. Secrets are masked.
    pub fn effective(&self) -> Vec<(String, String, String)> {
        let with_origin = |(key, value): (String, String)| {
            let origin = self.origin(&key).to_owned();
            (key, value, origin)
        };
        values(&self.config).into_iter().map(with_origin).collect()
    }

    /// Returns the settings that differ from their defaults, as [`effective`](Self::effective) does.
    /// Settings below a name that the user chose, such as those of an instance, have no default.
    pub fn changed(&self) -> Vec<(String, String, String)> {
        let defaults: BTreeSet<(String, String)> = values(&Config::default()).into_iter().collect();
        let is_changed = |(key, value, _): &(String, String, String)| {
            !defaults.contains(&(key.clone(), value.clone()))
        };
        self.effective().into_iter().filter(is_changed).collect()
    }

    /// Returns the settings.
    ///
    /// # Errors
    /// Returns all mistakes if there are any.
    pub fn finish(self) -> Result<Config, Mistakes> {
        if self.mistakes.is_empty() { Ok(self.config) } else { Err(Mistakes(self.mistakes)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_variables(variables: &[(&str, &str)]) -> Loaded {
        let variables = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        load_from(&Flags::default(), variables)
    }

    #[test]
    fn every_mistake_is_told_at_once_with_its_key_value_and_layer() {
        let mut flags = Flags::default();
        flags.set("--listen", "http.listen", Some("nowhere"));
        let variables = [
            ("OCTOPUS_MCP_HTTP__BODY_LIMIT", "much"),
            ("OCTOPUS_MCP_HTPP__LISTEN", "127.0.0.1:1"),
            ("OCTOPUS_SERVER_URL", "octopus"),
        ];
        let variables = variables.map(|(n, v)| (n.to_owned(), v.to_owned()));
        let Mistakes(mistakes) = load_from(&flags, variables).finish().unwrap_err();
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
    fn later_layers_win() {
        let mut flags = Flags::default();
        flags.set("--listen", "http.listen", Some("127.0.0.1:3"));
        let variable = ("OCTOPUS_MCP_HTTP__LISTEN".to_owned(), "127.0.0.1:2".to_owned());
        let loaded = load_from(&flags, [variable]);
        assert_eq!(loaded.config().http.listen.port(), 3);
        assert_eq!(loaded.origin("http.listen"), "flag --listen");
        assert_eq!(loaded.origin("http.body_limit"), "default");
    }

    #[test]
    fn a_variable_may_look_like_a_number_and_mean_text() {
        let loaded = from_variables(&[("OCTOPUS_MCP_OCTOPUS__SPACE", "42")]);
        assert_eq!(loaded.config().octopus.space.as_deref(), Some("42"));
    }

    #[test]
    fn lists_are_written_with_commas_or_as_arrays() {
        for written in ["core,projects", "core, projects ,", r#"["core", "projects"]"#] {
            let loaded = from_variables(&[("OCTOPUS_MCP_TOOLS__TOOLSETS", written)]);
            assert_eq!(loaded.config().tools.toolsets.0, ["core", "projects"], "{written}");
        }
    }

    #[test]
    fn secrets_are_masked_in_what_is_printed() {
        let loaded = from_variables(&[("OCTOPUS_API_KEY", "API-TOPSECRET")]);
        assert!(!format!("{loaded:?} {:?}", loaded.effective()).contains("TOPSECRET"));
        let wrong = from_variables(&[("OCTOPUS_MCP_OCTOPUS__API_KEYS", "API-TOPSECRET")]);
        assert!(!wrong.finish().unwrap_err().to_string().contains("TOPSECRET"));
    }
}

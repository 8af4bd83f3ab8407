//! The configured credential of an instance: a value in the settings, or a file that may be
//! replaced while the server runs.

use std::path::Path;

use super::credentials::{Credentials, InvalidCredential};
use crate::config::{self, Secret, WatchedFile, read_text};

/// A configured credential and its source.
#[derive(Debug)]
pub enum ConfiguredCredential {
    /// A value in the settings.
    Value(Credentials),
    /// A file. While the file cannot be read, its last valid content is used.
    File(WatchedFile<Credentials>),
}

impl ConfiguredCredential {
    /// Reads the credential from the settings of an instance. Returns `None` if they contain none.
    ///
    /// # Errors
    ///
    /// Returns a message that names the setting or the file, and the problem.
    pub fn from_config(instance: &config::InstanceSettings) -> Result<Option<Self>, String> {
        let api_key = Self::api_key(instance.api_key.as_ref(), instance.api_key_file.as_deref())?;
        if api_key.is_some() {
            return Ok(api_key);
        }
        let token = Credentials::access_token;
        Self::from_value_or_file(
            "access_token",
            token,
            instance.access_token.as_ref(),
            instance.access_token_file.as_deref(),
        )
    }

    /// Reads an API key from a value or a file; the value takes precedence.
    pub fn api_key(key: Option<&Secret>, file: Option<&Path>) -> Result<Option<Self>, String> {
        Self::from_value_or_file("api_key", Credentials::api_key, key, file)
    }

    /// Opens a file with a token for the token exchange. Octopus itself does not accept this token.
    pub(in crate::octopus) fn open_token_file(name: &str, path: &Path) -> Result<Self, String> {
        open_file(path, Credentials::access_token).map_err(|error| format!("{name}: {error}"))
    }

    fn from_value_or_file(
        name: &str,
        parse: fn(&str) -> Result<Credentials, InvalidCredential>,
        value: Option<&Secret>,
        file: Option<&Path>,
    ) -> Result<Option<Self>, String> {
        match (value, file) {
            (Some(value), _) => parse(value.expose())
                .map(|credentials| Some(Self::Value(credentials)))
                .map_err(|error| format!("{name}: {error}")),
            (None, Some(path)) => open_file(path, parse).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Returns a message for each configured credential of an instance that cannot be read or is
    /// malformed, with its setting below the section of the instance.
    pub fn setting_errors(instance: &config::InstanceSettings) -> Vec<(&'static str, String)> {
        type Parse = fn(&str) -> Result<Credentials, InvalidCredential>;
        let (key, token): (Parse, Parse) = (Credentials::api_key, Credentials::access_token);
        let mut errors = Vec::new();
        for (setting, parse, value) in
            [("api_key", key, &instance.api_key), ("access_token", token, &instance.access_token)]
        {
            let error = value.as_ref().and_then(|value| parse(value.expose()).err());
            errors.extend(error.map(|error| (setting, error.to_string())));
        }
        for (setting, parse, path) in [
            ("api_key_file", key, &instance.api_key_file),
            ("access_token_file", token, &instance.access_token_file),
            ("exchange.token_file", token, &instance.exchange.token_file),
        ] {
            let error = path.as_deref().and_then(|path| open_file(path, parse).err());
            errors.extend(error.map(|error| (setting, error)));
        }
        for group in &instance.groups {
            let read = Self::api_key(group.api_key.as_ref(), group.api_key_file.as_deref());
            let error = read.err().map(|error| format!("group '{}': {error}", group.group));
            errors.extend(error.map(|error| ("groups", error)));
        }
        errors
    }

    /// Returns the current credential, marked as configured.
    pub fn current(&self) -> Credentials {
        let credentials = match self {
            Self::Value(credentials) => credentials.clone(),
            Self::File(file) => file.current().0,
        };
        credentials.into_configured()
    }
}

/// Opens a file that contains one credential and watches it for changes.
fn open_file(
    path: &Path,
    parse: fn(&str) -> Result<Credentials, InvalidCredential>,
) -> Result<ConfiguredCredential, String> {
    let file = path.to_owned();
    let read =
        move || parse(&read_text(&file)?).map_err(|error| format!("{}: {error}", file.display()));
    WatchedFile::open("the credential", vec![path.to_owned()], read).map(ConfiguredCredential::File)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn rereads_changed_file_and_keeps_last_valid_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "API-FIRST\n").unwrap();
        let octopus = config::InstanceSettings {
            api_key_file: Some(path.clone()),
            ..config::InstanceSettings::default()
        };
        let configured = ConfiguredCredential::from_config(&octopus).unwrap().unwrap();
        let fingerprint = || configured.current().fingerprint();
        let first = Credentials::api_key("API-FIRST").unwrap().fingerprint();
        let second = Credentials::api_key("API-SECONDKEY").unwrap().fingerprint();
        assert_eq!(fingerprint(), first);
        fs::write(&path, "API-SECONDKEY").unwrap();
        assert_eq!(fingerprint(), second);
        fs::write(&path, "not a key at all").unwrap();
        assert_eq!(fingerprint(), second);
        fs::remove_file(&path).unwrap();
        assert_eq!(fingerprint(), second);
    }

    #[test]
    fn error_for_invalid_file_omits_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "hunter2").unwrap();
        let octopus = config::InstanceSettings {
            api_key_file: Some(path),
            ..config::InstanceSettings::default()
        };
        let message = ConfiguredCredential::from_config(&octopus).unwrap_err();
        assert!(message.contains("API-XXXX") && !message.contains("hunter2"), "{message}");
    }
}

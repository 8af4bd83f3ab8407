//! The configured credential of an instance: a value in the settings, or a file that may be
//! replaced while the server runs.

use std::path::Path;

use super::{BadCredential, Credentials};
use crate::config::{self, Followed, Secret, text_of};

/// A configured credential and where it comes from.
#[derive(Debug)]
pub enum Configured {
    /// A value in the settings.
    Value(Credentials),
    /// A file. While the file cannot be read, its last valid content is used.
    File(Followed<Credentials>),
}

impl Configured {
    /// Reads the credential from the settings of an instance. Returns `None` if they contain none.
    ///
    /// # Errors
    ///
    /// A message that names the setting or the file, and the problem.
    pub fn from_config(instance: &config::Instance) -> Result<Option<Self>, String> {
        let api_key = Self::api_key(instance.api_key.as_ref(), instance.api_key_file.as_deref())?;
        if api_key.is_some() {
            return Ok(api_key);
        }
        let token = Credentials::access_token;
        Self::read_as(
            "access_token",
            token,
            instance.access_token.as_ref(),
            instance.access_token_file.as_deref(),
        )
    }

    /// Reads an API key from a value or a file; the value takes precedence.
    pub fn api_key(key: Option<&Secret>, file: Option<&Path>) -> Result<Option<Self>, String> {
        Self::read_as("api_key", Credentials::api_key, key, file)
    }

    /// Opens a file with a token for the token exchange. Octopus itself does not accept this token.
    pub(super) fn token_file(name: &str, path: &Path) -> Result<Self, String> {
        follow(path, Credentials::access_token).map_err(|error| format!("{name}: {error}"))
    }

    fn read_as(
        name: &str,
        parse: fn(&str) -> Result<Credentials, BadCredential>,
        value: Option<&Secret>,
        file: Option<&Path>,
    ) -> Result<Option<Self>, String> {
        match (value, file) {
            (Some(value), _) => parse(value.expose())
                .map(|credentials| Some(Self::Value(credentials)))
                .map_err(|error| format!("{name}: {error}")),
            (None, Some(path)) => follow(path, parse).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Returns the current credential, marked as configured.
    pub fn read(&self) -> Credentials {
        let credentials = match self {
            Self::Value(credentials) => credentials.clone(),
            Self::File(file) => file.now().0,
        };
        credentials.configured()
    }
}

/// Opens a file that contains one credential and watches it for changes.
fn follow(
    path: &Path,
    parse: fn(&str) -> Result<Credentials, BadCredential>,
) -> Result<Configured, String> {
    let file = path.to_owned();
    let read =
        move || parse(&text_of(&file)?).map_err(|error| format!("{}: {error}", file.display()));
    Followed::open("the credential", vec![path.to_owned()], read).map(Configured::File)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_read_again_when_it_changes_and_kept_when_it_breaks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "API-FIRST\n").unwrap();
        let octopus =
            config::Instance { api_key_file: Some(path.clone()), ..config::Instance::default() };
        let configured = Configured::from_config(&octopus).unwrap().unwrap();
        let fingerprint = || configured.read().fingerprint();
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
    fn a_file_that_never_held_a_key_is_told_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "hunter2").unwrap();
        let octopus = config::Instance { api_key_file: Some(path), ..config::Instance::default() };
        let message = Configured::from_config(&octopus).unwrap_err();
        assert!(message.contains("API-XXXX") && !message.contains("hunter2"), "{message}");
    }
}

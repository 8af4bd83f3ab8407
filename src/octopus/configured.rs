//! The credential that the settings name: a value, or a file that may be replaced while the
//! server runs.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use super::{BadCredential, Credentials};
use crate::config::{self, Secret};

/// Where the configured credential comes from.
#[derive(Debug)]
pub enum Configured {
    /// The settings hold it.
    Value(Credentials),
    /// A file holds it.
    File(CredentialFile),
}

/// A file with one credential in it, read again when it changes.
pub struct CredentialFile {
    path: PathBuf,
    parse: fn(&str) -> Result<Credentials, BadCredential>,
    last: Mutex<Option<(Stamp, Credentials)>>,
}

/// Tells one state of a file from the next. Kubernetes replaces mounted secrets by switching a
/// link, which shows in the time of change.
type Stamp = (Option<SystemTime>, u64);

impl Configured {
    /// Reads what the settings say of an instance. `None`: they name no credential. A mistake is
    /// told with the name of the setting.
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

    /// An API key, given as it is or in a file.
    pub fn api_key(key: Option<&Secret>, file: Option<&Path>) -> Result<Option<Self>, String> {
        Self::read_as("api_key", Credentials::api_key, key, file)
    }

    /// A token in a file, which is no credential for Octopus itself.
    pub(super) fn token_file(name: &str, path: &Path) -> Result<Self, String> {
        let file = CredentialFile {
            path: path.to_owned(),
            parse: Credentials::access_token,
            last: Mutex::default(),
        };
        file.read().map(|_| Self::File(file)).map_err(|error| format!("{name}: {error}"))
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
            (None, Some(path)) => {
                let file = CredentialFile { path: path.to_owned(), parse, last: Mutex::default() };
                file.read().map(|_| Some(Self::File(file)))
            }
            (None, None) => Ok(None),
        }
    }

    /// The credential as it is now.
    pub fn read(&self) -> Result<Credentials, String> {
        match self {
            Self::Value(credentials) => Ok(credentials.clone()),
            Self::File(file) => file.read(),
        }
    }
}

impl CredentialFile {
    /// Reads the file if it changed. While it cannot be read, what it last held is used.
    fn read(&self) -> Result<Credentials, String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let read = self.stamp().and_then(|stamp| match &*last {
            Some((known, credentials)) if *known == stamp => Ok((stamp, credentials.clone())),
            _ => {
                let text = fs::read_to_string(&self.path).map_err(|error| error.to_string())?;
                Ok((stamp, (self.parse)(&text).map_err(|error| error.to_string())?))
            }
        });
        match (read, &*last) {
            (Ok(read), _) => {
                let credentials = read.1.clone();
                *last = Some(read);
                Ok(credentials)
            }
            (Err(reason), Some((_, credentials))) => {
                tracing::warn!(file = %self.path.display(), reason, "keeping the last credential");
                Ok(credentials.clone())
            }
            (Err(reason), None) => Err(format!("{}: {reason}", self.path.display())),
        }
    }

    fn stamp(&self) -> Result<Stamp, String> {
        let metadata = fs::metadata(&self.path).map_err(|error| error.to_string())?;
        Ok((metadata.modified().ok(), metadata.len()))
    }
}

impl fmt::Debug for CredentialFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialFile({})", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_when_it_changes_and_kept_when_it_breaks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "API-FIRST\n").unwrap();
        let octopus =
            config::Instance { api_key_file: Some(path.clone()), ..config::Instance::default() };
        let configured = Configured::from_config(&octopus).unwrap().unwrap();
        let fingerprint = || configured.read().unwrap().fingerprint();
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

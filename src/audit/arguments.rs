//! Recorded form of tool arguments: keyed hashes, and plain text for the arguments in
//! `audit.fields`.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::{error::AuditError, record::RecordedArguments};
use crate::{config, sanitize::sanitize};

/// Hashes arguments for audit records.
///
/// Argument values are short and predictable, such as names, versions and flags. A plain hash could
/// be reversed by trying candidates, so the hash uses a key.
#[derive(Clone)]
pub(super) struct ArgumentHasher {
    key: Hmac<Sha256>,
    plaintext_names: Vec<String>,
}

/// The maximum number of arguments that are recorded one by one.
const MAX_ARGUMENTS: usize = 64;
/// The length of a recorded hash in bytes. 128 bits make collisions negligible.
const HASH_BYTES: usize = 16;

impl std::fmt::Debug for ArgumentHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ArgumentHasher")
    }
}

impl ArgumentHasher {
    /// Creates a hasher with the key `audit.hash_key`, or with a random key if none is configured.
    pub(super) fn from_config(settings: &config::AuditSettings) -> Result<Self, AuditError> {
        let mut random = [0; 32];
        let key = if let Some(key) = &settings.hash_key {
            key.expose().as_bytes()
        } else {
            getrandom::fill(&mut random)?;
            random.as_slice()
        };
        let key = Hmac::new_from_slice(key).map_err(AuditError::HashKey)?;
        Ok(Self { key, plaintext_names: settings.fields.0.clone() })
    }

    /// Returns the keyed hash of a value, in hexadecimal digits.
    pub(super) fn hash(&self, value: &[u8]) -> String {
        let hash = self.key.clone().chain_update(value).finalize().into_bytes();
        let mut digits = HEXLOWER.encode(&hash);
        digits.truncate(2 * HASH_BYTES);
        digits
    }

    /// Returns the recorded form of validated arguments.
    pub(super) fn hash_each(&self, arguments: &Map<String, Value>) -> RecordedArguments {
        let mut recorded = RecordedArguments {
            combined_hash: Some(self.hash_all(arguments)),
            ..RecordedArguments::default()
        };
        for (name, value) in arguments.iter().take(MAX_ARGUMENTS) {
            let text = match value {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            if self.plaintext_names.contains(name) {
                recorded.plaintext.insert(name.clone(), sanitize_value(name, &text));
            } else {
                // The name is part of the hash, so that equal values of two arguments cannot be
                // recognized.
                let named = format!("{name}\0{text}");
                recorded.hashes.insert(name.clone(), self.hash(named.as_bytes()));
            }
        }
        recorded
    }

    /// Returns one hash of all arguments, independent of their order.
    pub(super) fn hash_all(&self, arguments: &Map<String, Value>) -> String {
        let mut arguments = arguments.clone();
        arguments.sort_keys();
        let mut whole = Value::Object(arguments);
        whole.sort_all_objects();
        self.hash(whole.to_string().as_bytes())
    }
}

/// Redacts secrets in a value. The name is part of the sanitized text, because detection of secrets
/// uses it.
fn sanitize_value(name: &str, value: &str) -> String {
    let prefix = format!("{name}=");
    let line = format!("{prefix}{value}");
    let sanitized = sanitize(&line).text;
    sanitized.strip_prefix(&prefix).unwrap_or("[redacted]").to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{AuditSettings, ListSetting, Secret};

    fn hasher(key: Option<&str>) -> ArgumentHasher {
        ArgumentHasher::from_config(&AuditSettings {
            fields: ListSetting(vec!["projectName".to_owned(), "password".to_owned()]),
            hash_key: key.map(|key| Secret::from(key.repeat(32))),
            ..AuditSettings::default()
        })
        .unwrap()
    }

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn only_configured_arguments_are_in_plain_text() {
        let arguments = object(&json!({ "projectName": "Web", "version": "1.0", "tenant": "1.0" }));
        let written = hasher(Some("a")).hash_each(&arguments);
        assert_eq!(written.plaintext.get("projectName").unwrap(), "Web");
        assert_eq!(written.plaintext.len(), 1);
        assert_ne!(written.hashes.get("version"), written.hashes.get("tenant"));
        assert!(!serde_json::to_string(&written).unwrap().contains("1.0"));
    }

    #[test]
    fn redacts_secrets_in_configured_arguments() {
        let secret = "hunter2-and-more-of-it";
        let written = hasher(None).hash_each(&object(&json!({ "password": secret })));
        assert!(!written.plaintext.get("password").unwrap().contains("hunter2"), "{written:?}");
    }

    #[test]
    fn hash_depends_on_key_but_not_on_argument_order() {
        let one = object(&json!({ "a": { "x": 1, "y": 2 }, "b": "v" }));
        let other = object(&json!({ "b": "v", "a": { "y": 2, "x": 1 } }));
        assert_eq!(hasher(Some("a")).hash_all(&one), hasher(Some("a")).hash_all(&other));
        assert_ne!(hasher(Some("a")).hash_all(&one), hasher(Some("b")).hash_all(&one));
        assert_ne!(hasher(None).hash_all(&one), hasher(None).hash_all(&one));
    }
}

//! Recorded form of tool arguments: keyed hashes, and plain text for the arguments in
//! `audit.fields`.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::record::Arguments;
use crate::{config, text};

/// Hashes arguments for audit records.
///
/// Argument values are short and predictable, such as names, versions and flags. A plain hash could
/// be reversed by trying candidates, so the hash uses a key.
#[derive(Clone)]
pub(super) struct Discretion {
    key: Hmac<Sha256>,
    clear: Vec<String>,
}

/// The maximum number of arguments that are recorded one by one.
const MOST: usize = 64;
/// The length of a recorded hash in bytes. 128 bits make collisions negligible.
const SHOWN: usize = 16;

impl std::fmt::Debug for Discretion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ArgumentHasher")
    }
}

impl Discretion {
    /// Creates a hasher with the key `audit.hash_key`, or with a random key if none is configured.
    pub(super) fn from_config(settings: &config::Audit) -> Result<Self, String> {
        let mut random = [0; 32];
        let key = if let Some(key) = &settings.hash_key {
            key.expose().as_bytes()
        } else {
            getrandom::fill(&mut random)
                .map_err(|error| format!("no random numbers available: {error}"))?;
            random.as_slice()
        };
        let key = Hmac::new_from_slice(key).map_err(|error| format!("audit.hash_key: {error}"))?;
        Ok(Self { key, clear: settings.fields.0.clone() })
    }

    /// Returns the keyed hash of a value, in hexadecimal digits.
    pub(super) fn hash(&self, value: &[u8]) -> String {
        let mut hash = String::with_capacity(2 * SHOWN);
        for byte in self.key.clone().chain_update(value).finalize().into_bytes().iter().take(SHOWN)
        {
            let _ = write!(hash, "{byte:02x}");
        }
        hash
    }

    /// Returns the recorded form of validated arguments.
    pub(super) fn of(&self, arguments: &Map<String, Value>) -> Arguments {
        let mut recorded = Arguments { whole: Some(self.whole(arguments)), ..Arguments::default() };
        for (name, value) in arguments.iter().take(MOST) {
            let text = match value {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            if self.clear.contains(name) {
                recorded.clear.insert(name.clone(), shown(name, &text));
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
    pub(super) fn whole(&self, arguments: &Map<String, Value>) -> String {
        let mut arguments = arguments.clone();
        arguments.sort_keys();
        let mut whole = Value::Object(arguments);
        whole.sort_all_objects();
        self.hash(whole.to_string().as_bytes())
    }
}

/// Redacts secrets in a value. The name is part of the sanitized text, because detection of secrets
/// uses it.
fn shown(name: &str, value: &str) -> String {
    let prefix = format!("{name}=");
    let line = format!("{prefix}{value}");
    let sanitized = text::door(&line).text;
    sanitized.strip_prefix(&prefix).unwrap_or("[redacted]").to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{Audit, List, Secret};

    fn with(key: Option<&str>) -> Discretion {
        Discretion::from_config(&Audit {
            fields: List(vec!["projectName".to_owned(), "password".to_owned()]),
            hash_key: key.map(|key| Secret::from(key.repeat(32))),
            ..Audit::default()
        })
        .unwrap()
    }

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn only_named_arguments_are_written_as_they_are() {
        let arguments = object(&json!({ "projectName": "Web", "version": "1.0", "tenant": "1.0" }));
        let written = with(Some("a")).of(&arguments);
        assert_eq!(written.clear.get("projectName").unwrap(), "Web");
        assert_eq!(written.clear.len(), 1);
        assert_ne!(written.hashes.get("version"), written.hashes.get("tenant"));
        assert!(!serde_json::to_string(&written).unwrap().contains("1.0"));
    }

    #[test]
    fn a_secret_is_none_the_less_one_for_being_named_in_the_settings() {
        let secret = "hunter2-and-more-of-it";
        let written = with(None).of(&object(&json!({ "password": secret })));
        assert!(!written.clear.get("password").unwrap().contains("hunter2"), "{written:?}");
    }

    #[test]
    fn hashes_compare_under_one_key_alone_and_in_any_order() {
        let one = object(&json!({ "a": { "x": 1, "y": 2 }, "b": "v" }));
        let other = object(&json!({ "b": "v", "a": { "y": 2, "x": 1 } }));
        assert_eq!(with(Some("a")).whole(&one), with(Some("a")).whole(&other));
        assert_ne!(with(Some("a")).whole(&one), with(Some("b")).whole(&one));
        assert_ne!(with(None).whole(&one), with(None).whole(&one));
    }
}

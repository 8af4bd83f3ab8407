//! What of arguments may be written down: keyed hashes, and the values that the settings name.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::record::Arguments;
use crate::{config, text};

/// How arguments are written down.
///
/// Values of arguments are few and short: names, versions, yes and no. Whoever knows the form of a
/// plain hash finds the value by trying, so the hash takes a key.
#[derive(Clone)]
pub(super) struct Discretion {
    key: Hmac<Sha256>,
    clear: Vec<String>,
}

/// How many single arguments are written.
const MOST: usize = 64;
/// How much of a hash is written: enough that no two values meet.
const SHOWN: usize = 16;

impl std::fmt::Debug for Discretion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Discretion")
    }
}

impl Discretion {
    /// As the settings say, with their key or one that is made.
    pub(super) fn from_config(settings: &config::Audit) -> Result<Self, String> {
        let mut made = [0; 32];
        let key = if let Some(key) = &settings.hash_key {
            key.expose().as_bytes()
        } else {
            getrandom::fill(&mut made).map_err(|error| format!("no random numbers: {error}"))?;
            made.as_slice()
        };
        let key = Hmac::new_from_slice(key).map_err(|error| format!("audit.hash_key: {error}"))?;
        Ok(Self { key, clear: settings.fields.0.clone() })
    }

    /// A keyed hash of a value.
    pub(super) fn hash(&self, what: &[u8]) -> String {
        let mut hash = String::with_capacity(2 * SHOWN);
        for byte in self.key.clone().chain_update(what).finalize().into_bytes().iter().take(SHOWN) {
            let _ = write!(hash, "{byte:02x}");
        }
        hash
    }

    /// What is written of arguments that a tool takes.
    pub(super) fn of(&self, arguments: &Map<String, Value>) -> Arguments {
        let mut written = Arguments { whole: Some(self.whole(arguments)), ..Arguments::default() };
        for (name, value) in arguments.iter().take(MOST) {
            let said = match value {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            if self.clear.contains(name) {
                written.clear.insert(name.clone(), shown(name, &said));
            } else {
                // The same value of two arguments has two hashes.
                let named = format!("{name}\0{said}");
                written.hashes.insert(name.clone(), self.hash(named.as_bytes()));
            }
        }
        written
    }

    /// A hash of all arguments, in whatever order they were written.
    pub(super) fn whole(&self, arguments: &Map<String, Value>) -> String {
        let mut arguments = arguments.clone();
        arguments.sort_keys();
        let mut whole = Value::Object(arguments);
        whole.sort_all_objects();
        self.hash(whole.to_string().as_bytes())
    }
}

/// A value beside its name, which says whether it is a secret.
fn shown(name: &str, value: &str) -> String {
    let begins = format!("{name}=");
    let line = format!("{begins}{value}");
    let passed = text::door(&line).text;
    passed.strip_prefix(&begins).unwrap_or("[redacted]").to_owned()
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

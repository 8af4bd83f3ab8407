//! Settings of caller tokens, which the server stores as hashes.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use figment::{
    Figment,
    providers::{Format, Toml},
};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::TokenScope;
use crate::config::ListSetting;

/// A caller token. The settings contain only its hash.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSettings {
    /// SHA-256 hash of the token: 64 hexadecimal digits, as printed by `octopus-mcp token new`.
    pub sha256: String,
    /// Person or team that is responsible for the token.
    pub owner: Option<String>,
    /// Groups of the caller.
    pub groups: ListSetting,
    /// Expiry: a date that still counts as valid (UTC), e.g. `2027-01-31`, or a time, e.g.
    /// `2027-01-31T18:00:00Z`. Without it, the token never expires.
    pub expires: Option<Expiry>,
    /// Scope of the caller: `read` (default), `deploy` or `admin`; each includes the previous ones.
    pub scope: TokenScope,
    /// Toolsets that the token may use. Default: all enabled toolsets.
    pub toolsets: ListSetting,
    /// Instances that the token may use, by name. Default: all.
    pub instances: ListSetting,
    /// Spaces that the token may use, by name, slug or ID. Default: all.
    pub spaces: ListSetting,
}

impl TokenSettings {
    /// Returns the hash as bytes; `None` unless it consists of 64 hexadecimal digits.
    pub fn hash(&self) -> Option<[u8; 32]> {
        let mut hash = [0; 32];
        let digits = self.sha256.trim().as_bytes();
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            let is_hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = is_hex.then(|| u8::from_str_radix(pair, 16).ok())??;
        }
        Some(hash)
    }
}

/// Returns the mistakes in `tokens`: the key of each mistake below `auth.tokens`, and its message.
///
/// `others` are the tokens that already exist. Each name and each token must be unique, because
/// callers with the same name or token would share their state.
pub(in crate::config) fn token_errors(
    tokens: &BTreeMap<String, TokenSettings>,
    others: &BTreeMap<String, TokenSettings>,
    instances: &[String],
) -> Vec<(String, String)> {
    let mut mistakes = Vec::new();
    let mut hashes: BTreeSet<_> = others.values().filter_map(TokenSettings::hash).collect();
    for (name, token) in tokens {
        let mut add_mistake = |field: &str, message: String| {
            mistakes.push((format!("{name}.{field}"), message));
        };
        if others.contains_key(name) {
            let message = "the settings already have a token with this name; names identify \
                           callers, so use another name";
            add_mistake("sha256", message.to_owned());
        }
        match token.hash() {
            None => add_mistake("sha256", INVALID_HASH.to_owned()),
            Some(hash) if !hashes.insert(hash) => {
                add_mistake("sha256", "another name already has this token".to_owned());
            }
            Some(_) => {}
        }
        for instance in token.instances.0.iter().filter(|instance| !instances.contains(instance)) {
            let configured = instances.join(", ");
            let message =
                format!("instance `{instance}` not found; configured instances: {configured}");
            add_mistake("instances", message);
        }
    }
    mistakes
}

/// Parses a tokens file, which has the same tables as the settings. `settings` are the tokens in
/// the settings themselves.
///
/// # Errors
/// Returns all mistakes in one message.
pub fn parse_tokens_file(
    text: &str,
    settings: &BTreeMap<String, TokenSettings>,
    instances: &[String],
) -> Result<BTreeMap<String, TokenSettings>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        auth: Section,
    }
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Section {
        #[serde(default)]
        tokens: BTreeMap<String, TokenSettings>,
    }
    let read: Result<File, _> = Figment::from(Toml::string(text)).extract();
    let tokens = read.map_err(|error| error.to_string())?.auth.tokens;
    let mistakes = token_errors(&tokens, settings, instances).into_iter();
    let mistakes = mistakes.map(|(key, message)| format!("auth.tokens.{key}: {message}"));
    let mistakes: Vec<String> = mistakes.collect();
    if mistakes.is_empty() { Ok(tokens) } else { Err(mistakes.join("; ")) }
}

/// Message for an invalid hash.
const INVALID_HASH: &str = "expected the 64 hexadecimal digits that `octopus-mcp token new` prints";

/// Time at which a token expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Expiry(pub Timestamp);

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            /// Serialized form of TOML dates.
            Toml {
                #[serde(rename = "$__toml_private_datetime")]
                text: String,
            },
        }
        let read = match Written::deserialize(deserializer) {
            Ok(Written::Text(text) | Written::Toml { text }) => parse_expiry(text.trim()),
            Err(_) => None,
        };
        read.map(Self).ok_or_else(|| {
            D::Error::custom(
                "expected a date such as 2027-01-31 or a time with its zone such as \
                 2027-01-31T18:00:00Z",
            )
        })
    }
}

/// Parses a time, or a date as the end of that day in UTC.
fn parse_expiry(text: &str) -> Option<Timestamp> {
    if text.len() == 10 {
        let next = text.parse::<Date>().ok()?.checked_add(1.day()).ok()?;
        return Some(next.to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    text.parse().ok()
}

impl JsonSchema for Expiry {
    fn schema_name() -> Cow<'static, str> {
        "Expiry".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn read(text: &str) -> Result<BTreeMap<String, TokenSettings>, String> {
        parse_tokens_file(text, &BTreeMap::new(), &["emea".to_owned(), "apac".to_owned()])
    }

    #[test]
    fn parses_token_tables_of_a_file() {
        let text = format!(
            "[auth.tokens.build-agent]\nsha256 = \"{HASH}\"\ngroups = [\"agents\"]\n\
             expires = 2027-01-31\nscope = \"deploy\"\ninstances = \"apac\"\n\
             [auth.tokens.night]\nsha256 = \"0{}\"\nexpires = 2027-01-31T18:00:00Z\n",
            &HASH[1..]
        );
        let read = read(&text).unwrap();
        let agent = &read["build-agent"];
        assert_eq!(agent.scope, TokenScope::Deploy);
        assert_eq!(agent.groups.0, ["agents"]);
        assert_eq!(agent.hash().unwrap()[..2], [0xba, 0x78]);
        assert_eq!(agent.expires.unwrap().0.to_string(), "2027-02-01T00:00:00Z");
        assert_eq!(read["night"].expires.unwrap().0.to_string(), "2027-01-31T18:00:00Z");
        assert_eq!(read["night"].scope, TokenScope::Read);
    }

    #[test]
    fn rejects_invalid_files_as_a_whole() {
        for wrong in [
            "[auth.tokens.a]\nsha256 = \"12\"",
            "[auth.tokens.a]\nsha = \"12\"",
            "[tokens.a]\nsha256 = \"12\"",
            "[auth.tokens.a]\nexpires = \"soon\"",
            "not TOML",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let signed = format!("[auth.tokens.a]\nsha256 = \"+{}\"", &HASH[1..]);
        assert!(read(&signed).is_err());
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn rejects_duplicate_names_tokens_and_unknown_instances() {
        let token = |name: &str, hash: &str| {
            let text = format!("[auth.tokens.{name}]\nsha256 = \"{hash}\"\n");
            read(&text).unwrap().remove_entry(name).unwrap()
        };
        let settings = BTreeMap::from([token("a", HASH)]);
        let other = &format!("0{}", &HASH[1..]);
        for (name, hash, more, wrong) in [
            ("b", other, "", None),
            ("b", other, "instances = [\"emea\"]", None),
            ("a", other, "", Some("a.sha256: the settings already have a token with this name")),
            ("b", &HASH.to_uppercase(), "", Some("b.sha256: another name already has this token")),
            (
                "b",
                other,
                "instances = [\"emea\", \"eu\"]",
                Some("b.instances: instance `eu` not found; configured instances: emea"),
            ),
        ] {
            let text = format!("[auth.tokens.{name}]\nsha256 = \"{hash}\"\n{more}\n");
            let read = parse_tokens_file(&text, &settings, &["emea".to_owned()]);
            let error = read.as_ref().err().map(String::as_str).unwrap_or_default();
            assert_eq!(read.is_ok(), wrong.is_none(), "{text}: {error}");
            assert!(error.contains(wrong.unwrap_or_default()), "{error}");
        }
    }

    #[test]
    fn date_expires_at_its_end_and_time_needs_a_zone() {
        for (text, time) in [
            ("2027-12-31", Some("2028-01-01T00:00:00Z")),
            ("2027-12-31T10:00:00+02:00", Some("2027-12-31T08:00:00Z")),
            ("2027-12-31T10:00:00", None),
            ("2027-13-31", None),
            ("tomorrow", None),
        ] {
            assert_eq!(parse_expiry(text).map(|time| time.to_string()).as_deref(), time, "{text}");
        }
    }
}

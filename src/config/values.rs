//! Value types of settings: secrets, durations, sizes and lists.

use std::{borrow::Cow, fmt, time::Duration};

use jiff::{SignedDuration, fmt::friendly};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A secret. `Debug` and serialisation print a mask.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(SecretString);

impl Secret {
    /// Text that is printed instead of the secret.
    pub const MASK: &str = "********";

    /// Returns the secret in clear text. Call it only where the secret is used.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns the inner type, which also hides the secret when printed.
    pub fn into_inner(self) -> SecretString {
        self.0
    }
}

/// Masks the user name and password in a URL. Returns other text unchanged.
///
/// In a URL that cannot be parsed, everything before the last `@` counts as the password, because
/// a password with a `/` is a common reason.
pub(super) fn mask_url_credentials(text: &str) -> String {
    let parts = text.split_once("://").and_then(|(scheme, rest)| {
        let end = match text.parse::<url::Url>() {
            Ok(_) => rest.find(['/', '?', '#']).unwrap_or(rest.len()),
            Err(_) => rest.len(),
        };
        let (authority, path) = rest.split_at_checked(end)?;
        let (_, host) = authority.rsplit_once('@')?;
        Some(format!("{scheme}://{}@{host}{path}", Secret::MASK))
    });
    parts.unwrap_or_else(|| text.to_owned())
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Self::MASK)
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A non-negative duration, written e.g. `30s`, `5m` or `1h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DurationSetting(pub Duration);

impl DurationSetting {
    /// Creates a period of whole seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl Serialize for DurationSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let printer = friendly::SpanPrinter::new().designator(friendly::Designator::Compact);
        let duration = SignedDuration::try_from(self.0).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&printer.duration_to_string(&duration))
    }
}

impl<'de> Deserialize<'de> for DurationSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<SignedDuration>()
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok())
            .map(Self)
            .ok_or_else(|| D::Error::custom("expected a duration such as `30s` or `5m`"))
    }
}

impl JsonSchema for DurationSetting {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A number of bytes, written e.g. `20480`, `20 KiB` or `1 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub usize);

const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, unit)| self.0 >= *unit && self.0.is_multiple_of(*unit)) {
            Some((name, unit)) => write!(f, "{} {name}", self.0 / unit),
            None => write!(f, "{}", self.0),
        }
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(usize),
            Text(String),
        }
        let read = match Written::deserialize(deserializer) {
            Ok(Written::Number(bytes)) => Some(bytes),
            Ok(Written::Text(text)) => parse_bytes(&text),
            Err(_) => None,
        };
        read.map(Self).ok_or_else(|| {
            D::Error::custom("expected a number of bytes such as `65536`, `64 KiB` or `1 MiB`")
        })
    }
}

fn parse_bytes(text: &str) -> Option<usize> {
    let digits = text.trim().find(|c: char| !c.is_ascii_digit()).unwrap_or(text.trim().len());
    let (number, unit) = text.trim().split_at_checked(digits)?;
    let unit = unit.trim();
    let scale = match UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) {
        Some((_, scale)) => *scale,
        None if unit.is_empty() || unit.eq_ignore_ascii_case("b") => 1,
        None => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(scale)
}

impl JsonSchema for ByteSize {
    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A list of strings: an array, or one string separated by commas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ListSetting(pub Vec<String>);

impl<'de> Deserialize<'de> for ListSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Many(Vec<String>),
            One(String),
        }
        let words = match Written::deserialize(deserializer) {
            Ok(Written::Many(words)) => words,
            Ok(Written::One(text)) => text.split(',').map(str::to_owned).collect(),
            Err(_) => return Err(D::Error::custom("expected a list such as `a,b`")),
        };
        Ok(Self(
            words
                .iter()
                .map(|word| word.trim().to_owned())
                .filter(|word| !word.is_empty())
                .collect(),
        ))
    }
}

impl JsonSchema for ListSetting {
    fn schema_name() -> Cow<'static, str> {
        "List".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_sizes_round_trip() {
        for (written, bytes) in
            [("20480", 20480), ("20 KiB", 20480), ("1MiB", 1 << 20), ("2 gib", 2 << 30), ("7 b", 7)]
        {
            assert_eq!(parse_bytes(written), Some(bytes), "{written}");
            assert_eq!(parse_bytes(&ByteSize(bytes).to_string()), Some(bytes), "{written}");
        }
        for wrong in ["", "KiB", "-1", "1 KB", "99999999999999999999", "9999999999999 GiB"] {
            assert_eq!(parse_bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn masks_credentials_in_urls_only() {
        for (text, shown) in [
            ("https://me:secret@host/a@b", "https://********@host/a@b"),
            ("https://me:se/cret@host", "https://********@host"),
            ("redis://:secret@host:6379/0", "redis://********@host:6379/0"),
            ("https://host/path@1?a=b@c", "https://host/path@1?a=b@c"),
            ("me@example.com", "me@example.com"),
        ] {
            assert_eq!(mask_url_credentials(text), shown);
        }
    }

    #[test]
    fn durations_round_trip() {
        for (written, seconds) in [("\"30s\"", 30), ("\"5m\"", 300), ("\"1h 30m\"", 5400)] {
            let period: DurationSetting = serde_json::from_str(written).unwrap();
            assert_eq!(period, DurationSetting::seconds(seconds));
            let printed = serde_json::to_string(&period).unwrap();
            assert_eq!(serde_json::from_str::<DurationSetting>(&printed).unwrap(), period);
        }
        for wrong in ["\"\"", "\"soon\"", "\"-5s\"", "5"] {
            assert!(serde_json::from_str::<DurationSetting>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn secrets_are_masked_when_printed() {
        let secret = Secret::from("API-TOPSECRET".to_owned());
        assert_eq!(format!("{secret:?}"), Secret::MASK);
        assert_eq!(serde_json::to_string(&secret).unwrap(), format!("\"{}\"", Secret::MASK));
    }
}

//! The ways in which callers are known.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::super::List;

/// How a caller is told from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// By their Octopus credential, which every request carries.
    Octopus,
    /// Not at all.
    None,
    /// By a token that this server knows by its hash.
    Tokens,
    /// By an access token of an authorization server.
    Oauth,
    /// By a header of a proxy that is trusted.
    Proxy,
    /// By the certificate of a TLS client.
    Certificate,
}

/// The ways in which callers are known: one word, several with commas, or an array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Modes(pub Vec<AuthMode>);

impl From<AuthMode> for Modes {
    fn from(mode: AuthMode) -> Self {
        Self(vec![mode])
    }
}

impl Modes {
    /// The ways in which a request proves itself to this server.
    pub const PROOFS: [AuthMode; 4] =
        [AuthMode::Tokens, AuthMode::Oauth, AuthMode::Proxy, AuthMode::Certificate];

    /// Whether callers are known in this way.
    pub fn has(&self, mode: AuthMode) -> bool {
        self.0.contains(&mode)
    }
}

impl<'de> Deserialize<'de> for Modes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::value::{Error, StrDeserializer};
        let words = List::deserialize(deserializer)?;
        if words.0.is_empty() {
            return Err(D::Error::custom("expected a way in which callers are known"));
        }
        let read = |word: &String| AuthMode::deserialize(StrDeserializer::<Error>::new(word));
        words.0.iter().map(read).collect::<Result<_, _>>().map(Self).map_err(D::Error::custom)
    }
}

impl JsonSchema for Modes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Modes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array" })
    }
}

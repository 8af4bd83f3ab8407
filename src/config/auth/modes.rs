//! Authentication modes.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::config::ListSetting;

/// Authentication mode for callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Octopus credential in every request.
    Octopus,
    /// No authentication.
    None,
    /// Token that the settings contain as a hash.
    Tokens,
    /// OAuth access token of an authorization server.
    Oauth,
    /// Identity header of a trusted proxy.
    Proxy,
    /// TLS client certificate.
    Certificate,
}

/// List of authentication modes: one word, several separated by commas, or an array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AuthModes(pub Vec<AuthMode>);

impl From<AuthMode> for AuthModes {
    fn from(mode: AuthMode) -> Self {
        Self(vec![mode])
    }
}

impl AuthModes {
    /// Modes in which this server itself verifies the identity of a caller.
    pub const AUTHENTICATING: [AuthMode; 4] =
        [AuthMode::Tokens, AuthMode::Oauth, AuthMode::Proxy, AuthMode::Certificate];

    /// Returns whether the mode is enabled.
    pub fn has(&self, mode: AuthMode) -> bool {
        self.0.contains(&mode)
    }
}

impl<'de> Deserialize<'de> for AuthModes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::value::{Error, StrDeserializer};
        let words = ListSetting::deserialize(deserializer)?;
        if words.0.is_empty() {
            return Err(D::Error::custom(
                "expected an authentication mode such as `tokens` or `oauth`",
            ));
        }
        let read = |word: &String| AuthMode::deserialize(StrDeserializer::<Error>::new(word));
        words.0.iter().map(read).collect::<Result<_, _>>().map(Self).map_err(D::Error::custom)
    }
}

impl JsonSchema for AuthModes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Modes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array" })
    }
}

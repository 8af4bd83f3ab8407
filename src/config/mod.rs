//! Every setting, in one tree: what it is, its type and its default.
//!
//! Nothing else in the program defines a setting or reads the environment. Layers, each over
//! the one before: the defaults below, a TOML file, environment variables, command-line flags
//! ([`layers`]). `config/reference.toml` is written from this tree ([`mod@reference`]).

mod http;
mod layers;
mod load;
mod reference;
mod tools;
mod validate;
mod values;

pub use http::{Http, Sessions, Tls};
pub use load::{Flags, Loaded, Mistake, Mistakes, load};
pub use reference::reference;
pub use tools::{Confirm, Tools};
pub use values::{ByteSize, List, Period, Secret};

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// The settings of the server.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The Octopus instance that tools reach.
    pub octopus: Octopus,
    /// Who may call, and with which Octopus credential.
    pub auth: Auth,
    /// The listener that MCP clients connect to.
    pub http: Http,
    /// Which tools are offered, and how much they may answer.
    pub tools: Tools,
    /// How much the server takes on at once.
    pub limits: Limits,
    /// Logs.
    pub telemetry: Telemetry,
    /// The embedded sample instance of Octopus.
    pub sample: Sample,
}

/// The Octopus instance that tools reach.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Octopus {
    /// Where Octopus answers, with its virtual directory if it has one, for example
    /// `https://octopus.example.com`. Also `OCTOPUS_SERVER_URL`.
    pub url: Option<Url>,
    /// The API key that calls use when `auth.mode` is `none`. Also `OCTOPUS_API_KEY`; better is
    /// a file.
    pub api_key: Option<Secret>,
    /// A file that holds the API key; read again when it changes. Also `OCTOPUS_API_KEY_FILE`.
    pub api_key_file: Option<PathBuf>,
    /// An Octopus access token, instead of an API key. Also `OCTOPUS_ACCESS_TOKEN`.
    pub access_token: Option<Secret>,
    /// A file that holds the access token; read again when it changes. Also
    /// `OCTOPUS_ACCESS_TOKEN_FILE`.
    pub access_token_file: Option<PathBuf>,
    /// The space that every call works in, by name, slug or ID. Tools then take no `space`.
    pub space: Option<String>,
    /// Whether a `http://` URL is accepted although it is not loopback. Credentials then travel
    /// in clear text.
    pub allow_http: bool,
    /// A PEM file with certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// How long a connection may take.
    pub connect_timeout: Period,
    /// How long one request to Octopus may take, its answer included.
    pub timeout: Period,
    /// How often a read that failed for a passing reason is tried again.
    pub retries: u32,
    /// How long a `Retry-After` of Octopus is waited for. A longer one is told to the caller.
    pub retry_after_limit: Period,
    /// How large an answer of Octopus may be. Task logs are streamed and not bound by it.
    pub response_limit: ByteSize,
    /// How long the name of a space stands for an ID before it is looked up again.
    pub space_cache: Period,
}

impl Default for Octopus {
    fn default() -> Self {
        Self {
            url: None,
            api_key: None,
            api_key_file: None,
            access_token: None,
            access_token_file: None,
            space: None,
            allow_http: false,
            ca_file: None,
            connect_timeout: Period::seconds(5),
            timeout: Period::seconds(30),
            retries: 2,
            retry_after_limit: Period::seconds(5),
            response_limit: ByteSize(32 * 1024 * 1024),
            space_cache: Period::seconds(300),
        }
    }
}

/// Who may call, and with which Octopus credential.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// `octopus`: a caller is whoever their Octopus credential says, sent with every request.
    /// `none`: whoever reaches the listener may call, with their own credential or else with the
    /// configured one. Left out, it is `none` where a credential is configured and `octopus`
    /// elsewhere.
    pub mode: Option<AuthMode>,
    /// Whether a configured credential may be used by anybody who reaches a listener that is not
    /// loopback.
    pub allow_anonymous: bool,
}

/// How a caller is told from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// By their Octopus credential, which every request carries.
    Octopus,
    /// Not at all.
    None,
}

/// How much the server takes on at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How many requests may be under way. One more is refused with 503 and `Retry-After`.
    pub concurrent_requests: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { concurrent_requests: 512 }
    }
}

/// Logs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// `text` for people, `json` for machines.
    pub log_format: LogFormat,
    /// What is logged: a level, or directives such as `info,octopus_mcp=debug`.
    pub log_filter: String,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { log_format: LogFormat::Text, log_filter: "info,rmcp=warn".to_owned() }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The embedded sample instance of Octopus.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sample {
    /// Whether tools reach the embedded sample instance instead of a real one.
    pub enabled: bool,
}

//! All settings as one tree of structs: meaning, type and default of each setting.
//!
//! No other module defines settings or reads the environment. Each layer overrides the previous
//! one: defaults, TOML file, environment variables, command-line flags ([`layers`]). The doc
//! comments of the fields are the reference for users: [`mod@reference`] generates
//! `config/reference.toml` from this tree.

mod audit;
mod auth;
mod http;
mod instance;
mod instances;
mod layers;
mod limits;
mod load;
mod networks;
mod reference;
mod rule;
mod rules;
mod telemetry;
mod tools;
mod validate;
mod values;
mod watched_file;
mod window;

pub use audit::{AuditCollectorSettings, AuditFileSettings, AuditSettings, OtlpHeader};
pub use auth::{
    AuthMode, AuthModes, AuthSettings, CertificateAuthSettings, ClaimGroup, Expiry, GroupScope,
    IssuerSettings, OauthSettings, ProxyAuthSettings, ScopeNames, SigningAlgorithm, SubjectName,
    TokenScopeSetting, TokenSettings, parse_tokens_file,
};
pub use http::{ClientCertificates, ForwardingHeaders, HttpSettings, SessionStorage, TlsSettings};
pub use instance::{CredentialSource, GroupCredential, InstanceSettings, TokenExchangeSettings};
pub use limits::{LimitSettings, StoreAddress};
pub use load::{ConfigError, ConfigErrors, Flags, LoadedConfig, load};
pub use networks::{Networks, is_loopback};
pub use reference::reference;
pub use rule::{Effect, Risk, RuleSettings, TYPE_ENVIRONMENT_NAME, Tier};
pub use rules::PolicySettings;
pub use telemetry::{
    CollectorSettings, Exporter, LogFormat, OtlpProtocol, Sampler, Signal, TelemetrySettings,
};
pub use tools::{ApprovalMode, ToolSettings};
pub use values::{ByteSize, DurationSetting, ListSetting, Secret};
pub use watched_file::{FileStamp, WatchedFile, read_text};
pub use window::{MINUTES_PER_DAY, NamedTimeZone, TimeOfDay, TimeWindow, Weekdays};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of the server.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The Octopus instance, if there is only one. Use either this section or `[instances]`.
    pub octopus: InstanceSettings,
    /// Several Octopus instances by name: up to 40 lower-case letters, digits and hyphens. Clients
    /// select one with the path `/mcp/i/NAME` or the header `X-Octopus-Instance`.
    pub instances: BTreeMap<String, InstanceSettings>,
    /// Authentication of callers, and the Octopus credential that is used for them.
    pub auth: AuthSettings,
    /// HTTP listener for MCP clients, including TLS, proxies and sessions.
    pub http: HttpSettings,
    /// Tools that are offered, approval of changes, and size of answers.
    pub tools: ToolSettings,
    /// Rules that allow calls, require approval for them or deny them, in addition to the other
    /// settings.
    pub policy: PolicySettings,
    /// Rate, concurrency and memory limits. Rates are requests per minute and refill continuously;
    /// a rate of 0 disables the limit. A burst is the number of requests that may arrive at once
    /// after a pause. Requests to `initialize` and `server/discover`, pings, notifications and
    /// answers of clients to server requests do not count.
    pub limits: LimitSettings,
    /// Audit record of every call.
    pub audit: AuditSettings,
    /// Logs, traces and metrics.
    pub telemetry: TelemetrySettings,
    /// Embedded Octopus sample instance.
    pub sample: SampleSettings,
}

/// The error for `sample.enabled` in a build without the Cargo feature `sample`.
pub const SAMPLE_NOT_BUILT_IN: &str = "\
    this program was built without the sample instance (Cargo feature `sample`), as container \
    images are; build it from source with `cargo build --release`, or build the image with \
    `docker build --build-arg FEATURES=sample`";

/// Embedded Octopus sample instance.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SampleSettings {
    /// Uses the embedded sample instance instead of a real one, e.g. to try out the server
    /// (default false). Same as the flag `--sample`; excludes `octopus.url` and `[instances]`.
    /// Container images do not contain the sample instance and reject this setting.
    pub enabled: bool,
}

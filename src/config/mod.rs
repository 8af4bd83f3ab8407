//! All settings as one tree of structs: meaning, type and default of each setting.
//!
//! No other module defines settings or reads the environment. Each layer overrides the previous
//! one: defaults, TOML file, environment variables, command-line flags (`layers`). The doc
//! comments of the fields are the reference for users: `reference` generates
//! `config/reference.toml` from this tree.
//!
//! - `tree` is the root of the tree. The other settings files define one section each and import
//!   only the types of their values.
//! - `load` merges the layers into a [`LoadedConfig`], which records the origin of each setting and
//!   the mistakes in it.
//! - `validate` adds the mistakes in combinations of settings.
//! - `watched_file` reads files again when they change.
//!
//! ```
//! use octopus_mcp::config::{Flags, load};
//!
//! let mut flags = Flags::default();
//! flags.set("--server-url", "octopus.url", Some("https://octopus.example.com"));
//! let loaded = load(&flags);
//! assert_eq!(loaded.origin("octopus.url"), "flag --server-url");
//! let config = loaded.config();
//! assert_eq!(config.octopus.url.as_ref().map(|url| url.as_str()), Some("https://octopus.example.com/"));
//! // Returns all mistakes if there are any.
//! let result = loaded.into_config();
//! # drop(result);
//! ```

mod audit;
mod auth;
mod http;
mod instance;
mod layers;
mod limits;
mod load;
mod loaded;
mod mistakes;
mod networks;
mod reference;
mod rule;
mod rules;
mod telemetry;
mod tools;
mod tree;
mod validate;
mod values;
mod watched_file;
mod window;

pub use audit::{AuditCollectorSettings, AuditFileSettings, AuditSettings, OtlpHeader};
pub use auth::{
    AuthMode, AuthModes, AuthSettings, CertificateAuthSettings, ClaimGroup, Expiry, GroupScope,
    IssuerSettings, OauthSettings, ProxyAuthSettings, ScopeNames, SigningAlgorithm, SubjectName,
    TokenScope, TokenSettings, parse_tokens_file,
};
pub use http::{ClientCertificates, ForwardingHeaders, HttpSettings, SessionStorage, TlsSettings};
pub use instance::{CredentialSource, GroupCredential, InstanceSettings, TokenExchangeSettings};
pub use limits::{LimitSettings, StoreAddress};
pub use load::{Flags, load};
pub use loaded::{ConfigError, ConfigErrors, LoadedConfig};
pub use networks::{Networks, is_loopback};
pub use reference::reference;
pub use rule::{Effect, Risk, RuleSettings, TYPE_ENVIRONMENT_NAME, Tier};
pub use rules::PolicySettings;
pub use telemetry::{
    CollectorSettings, Exporter, LogFormat, OtlpProtocol, Sampler, Signal, TelemetrySettings,
};
pub use tools::{ApprovalMode, ToolSettings};
pub use tree::{Config, SAMPLE_NOT_BUILT_IN, SampleSettings};
pub use values::{ByteSize, DurationSetting, ListSetting, Secret};
pub use watched_file::{FileStamp, WatchedFile, read_text};
pub use window::{MINUTES_PER_DAY, NamedTimeZone, TimeOfDay, TimeWindow, Weekdays};

//! Every setting, in one tree: what it is, its type and its default.
//!
//! Nothing else in the program defines a setting or reads the environment. Layers, each over
//! the one before: the defaults below, a TOML file, environment variables, command-line flags
//! ([`layers`]). `config/reference.toml` is written from this tree ([`mod@reference`]).

mod audit;
mod auth;
mod followed;
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
mod window;

pub use audit::{Audit, AuditFile, Otlp, OtlpHeader};
pub use auth::{
    Auth, AuthMode, Certificate, ClaimGroup, Expiry, GroupScope, Issuer, Modes, Oauth, Proxy,
    Scope, ScopeNames, SigningAlgorithm, SubjectName, Token, tokens,
};
pub use followed::{Followed, text_of};
pub use http::{ClientCertificates, Forwarding, Http, Sessions, Tls};
pub use instance::{CredentialSource, Exchange, GroupCredential, Instance};
pub use limits::{Limits, StoreAddress};
pub use load::{Flags, Loaded, Mistake, Mistakes, load};
pub use networks::{Networks, is_loopback};
pub use reference::reference;
pub use rule::{ENVIRONMENT_WORD, Effect, Risk, Rule, TierWord};
pub use rules::Policy;
pub use telemetry::{Collector, Exporter, LogFormat, OtlpProtocol, Sampler, Signal, Telemetry};
pub use tools::{Confirm, Tools};
pub use values::{ByteSize, List, Period, Secret};
pub use window::{Clock, DAY, Days, Window, Zone};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The settings of the server.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The Octopus instance that tools reach, where there is one.
    pub octopus: Instance,
    /// The Octopus instances that tools reach, by name, where there are several. A caller chooses
    /// one with the path `/mcp/i/NAME` or the header `X-Octopus-Instance`.
    pub instances: BTreeMap<String, Instance>,
    /// Who may call, and with which Octopus credential.
    pub auth: Auth,
    /// The listener that MCP clients connect to.
    pub http: Http,
    /// Which tools are offered, and how much they may answer.
    pub tools: Tools,
    /// Which calls are let through, asked about or refused, beyond what the rest of the settings
    /// says.
    pub policy: Policy,
    /// How much the server takes on, from one caller and at once. Rates are requests a minute,
    /// which come back one by one; a burst is how many may come at once after a pause. A rate of 0
    /// is no limit. Greetings, pings, notifications and answers to questions do not count.
    pub limits: Limits,
    /// A record of every call.
    pub audit: Audit,
    /// Logs, traces and metrics.
    pub telemetry: Telemetry,
    /// The embedded sample instance of Octopus.
    pub sample: Sample,
}

/// The error for `sample.enabled` in a build without the cargo feature `sample`.
pub const SAMPLE_NOT_BUILT_IN: &str = "this program was built without the sample instance (cargo feature `sample`), \
     as container images are; build it from source with `cargo build --release`, or the image with \
     `docker build --build-arg FEATURES=sample`";

/// The embedded sample instance of Octopus.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sample {
    /// Whether tools reach the embedded sample instance instead of a real one. Programs built without the
    /// cargo feature `sample`, as container images are, refuse it.
    pub enabled: bool,
}

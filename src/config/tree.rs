//! The root of the settings tree.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AuditSettings, AuthMode, AuthModes, AuthSettings, HttpSettings, InstanceSettings,
    LimitSettings, PolicySettings, TelemetrySettings, ToolSettings,
};

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

impl Config {
    /// Returns every instance with its name and the key of its section.
    pub fn instances_with_keys(&self) -> Vec<(&str, String, &InstanceSettings)> {
        if self.instances.is_empty() {
            return vec![(SINGLE_INSTANCE_NAME, "octopus".to_owned(), &self.octopus)];
        }
        let instances = self.instances.iter();
        instances
            .map(|(name, instance)| (name.as_str(), format!("instances.{name}"), instance))
            .collect()
    }

    /// Returns the name of the instance that is used if a client names none.
    pub fn default_instance(&self) -> Option<&str> {
        let instances = self.instances_with_keys();
        match instances.as_slice() {
            [(name, ..)] => Some(name),
            several => several.iter().find(|(_, _, one)| one.default).map(|(name, ..)| *name),
        }
    }

    /// Returns whether an Octopus credential for all callers is configured, in any form.
    pub fn has_credential(&self) -> bool {
        self.instances_with_keys().iter().any(|(_, _, instance)| instance.has_credential())
    }

    /// Returns the authentication modes: the setting, or the default for the configured credential.
    pub fn auth_modes(&self) -> AuthModes {
        self.auth.mode.clone().unwrap_or_else(|| {
            AuthModes::from(if self.has_credential() || self.sample.enabled {
                AuthMode::None
            } else {
                AuthMode::Octopus
            })
        })
    }
}

/// Name of the instance in `[octopus]`.
const SINGLE_INSTANCE_NAME: &str = "default";

//! Settings of an Octopus instance.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{ByteSize, DurationSetting, Secret};

/// An Octopus instance.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InstanceSettings {
    /// URL of Octopus, including its virtual directory if it has one, e.g.
    /// `https://octopus.example.com`. Also `OCTOPUS_SERVER_URL`.
    pub url: Option<Url>,
    /// Source of the Octopus credential for calls: `caller` (header `X-Octopus-ApiKey`),
    /// `configured`, `group` or `exchange`. Default: the first that is configured here of API key
    /// or access token, `groups` and `exchange`; otherwise `caller`.
    pub credential: Option<CredentialSource>,
    /// API key for all calls. Also `OCTOPUS_API_KEY`. Prefer `api_key_file`.
    pub api_key: Option<Secret>,
    /// File with the API key, which is read again when it changes. Also `OCTOPUS_API_KEY_FILE`.
    pub api_key_file: Option<PathBuf>,
    /// Octopus access token for all calls, instead of an API key. Also `OCTOPUS_ACCESS_TOKEN`.
    pub access_token: Option<Secret>,
    /// File with the access token, which is read again when it changes. Also
    /// `OCTOPUS_ACCESS_TOKEN_FILE`.
    pub access_token_file: Option<PathBuf>,
    /// Credentials of caller groups. The first group that the caller belongs to is used.
    pub groups: Vec<GroupCredential>,
    /// Token exchange for a service account, which needs no stored API key.
    pub exchange: TokenExchangeSettings,
    /// Uses this instance for clients that name none (default false).
    pub default: bool,
    /// Rejects all changes on this instance, even with `tools.read_only = false` (default false).
    pub read_only: bool,
    /// Fixed space of all calls, by name, slug or ID. Tools then have no argument `space`.
    pub space: Option<String>,
    /// Accepts an `http://` URL that is not loopback (default false). Credentials are then sent in
    /// clear text.
    pub allow_http: bool,
    /// PEM file with certificate authorities to trust in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// Timeout for opening a connection (default `5s`).
    pub connect_timeout: DurationSetting,
    /// Timeout of one request including its response (default `30s`).
    pub timeout: DurationSetting,
    /// Number of retries of a read after a transient failure (default 2).
    pub retries: u32,
    /// Maximum `Retry-After` of Octopus that the server waits for before a retry (default `5s`). A
    /// longer one is reported to the client.
    pub retry_after_limit: DurationSetting,
    /// Maximum size of a response of Octopus (default `32 MiB`). Task logs are streamed and not
    /// limited.
    pub response_limit: ByteSize,
    /// Maximum size of a response that is read with all its fields (default `8 MiB`): responses to
    /// `execute`, and documents that a change sends back. A larger response is an error that
    /// explains how to request less. `response_limit` applies as well.
    pub execute_limit: ByteSize,
    /// Maximum number of concurrent requests to this instance (default 64, min 1). Further requests
    /// wait at most for `timeout`. Streams of task logs use at most half of them.
    pub concurrent_requests: u32,
    /// Number of consecutive requests without a response after which calls are rejected at once for
    /// `pause` (default 10). If only the requests of one caller failed, only that caller's calls
    /// are rejected. 0 disables this circuit breaker.
    pub failures_until_pause: u32,
    /// Time after which one call tries again to reach an instance that does not respond (default
    /// `10s`).
    pub pause: DurationSetting,
    /// Time for which the ID of a space name is cached (default `5m`).
    pub space_cache: DurationSetting,
}

impl Default for InstanceSettings {
    fn default() -> Self {
        Self {
            url: None,
            credential: None,
            api_key: None,
            api_key_file: None,
            access_token: None,
            access_token_file: None,
            groups: Vec::new(),
            exchange: TokenExchangeSettings::default(),
            default: false,
            read_only: false,
            space: None,
            allow_http: false,
            ca_file: None,
            connect_timeout: DurationSetting::seconds(5),
            timeout: DurationSetting::seconds(30),
            retries: 2,
            retry_after_limit: DurationSetting::seconds(5),
            response_limit: ByteSize(32 * 1024 * 1024),
            execute_limit: ByteSize(8 * 1024 * 1024),
            concurrent_requests: 64,
            failures_until_pause: 10,
            pause: DurationSetting::seconds(10),
            space_cache: DurationSetting::seconds(300),
        }
    }
}

impl InstanceSettings {
    /// Returns whether an API key or access token for all callers is configured, in any form.
    pub fn has_credential(&self) -> bool {
        self.api_key.is_some()
            || self.api_key_file.is_some()
            || self.access_token.is_some()
            || self.access_token_file.is_some()
    }

    /// Returns the credential source: the setting, or the default for the configured credentials.
    pub fn credential(&self) -> CredentialSource {
        self.credential.unwrap_or(if self.has_credential() {
            CredentialSource::Configured
        } else if !self.groups.is_empty() {
            CredentialSource::Group
        } else if self.exchange.audience.is_some() {
            CredentialSource::Exchange
        } else {
            CredentialSource::Caller
        })
    }
}

/// Source of the Octopus credential for a caller. There is no fallback from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CredentialSource {
    /// The caller's own credential in the header `X-Octopus-ApiKey`.
    Caller,
    /// The API key or access token in the settings of the instance.
    Configured,
    /// The credential of the first group that the caller belongs to.
    Group,
    /// An access token that Octopus issues for the caller's token, or for a token in a file.
    Exchange,
}

/// Octopus credential of a caller group.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupCredential {
    /// Name of the group.
    pub group: String,
    /// API key of the group. Prefer `api_key_file`.
    pub api_key: Option<Secret>,
    /// File with the API key of the group, which is read again when it changes.
    pub api_key_file: Option<PathBuf>,
}

/// Token exchange of Octopus for a service account (OpenID Connect).
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokenExchangeSettings {
    /// ID of the service account's OIDC identity, as shown on its page in Octopus.
    pub audience: Option<String>,
    /// File with the token to exchange, e.g. a Kubernetes service account token. Default: the
    /// caller's own token, which requires `auth.mode = "oauth"`.
    pub token_file: Option<PathBuf>,
    /// Origin of the token endpoint that Octopus advertises, if it differs from the origin of
    /// `url`, e.g. `https://octopus.example.com`. Self-hosted servers advertise the public URL that
    /// they are configured with. Tokens to exchange are then also sent to this origin (default: the
    /// origin of `url` only).
    pub token_endpoint_origin: Option<Url>,
}

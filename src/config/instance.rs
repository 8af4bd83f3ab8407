//! The settings of an instance of Octopus.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{ByteSize, Period, Secret};

/// An Octopus instance that tools reach.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Instance {
    /// Where Octopus answers, with its virtual directory if it has one, for example
    /// `https://octopus.example.com`. Also `OCTOPUS_SERVER_URL`.
    pub url: Option<Url>,
    /// Which Octopus credential acts. Left out, it is the one that is written here: the key or
    /// token, the groups, the exchange, in that order; and where none is, the caller's own.
    pub credential: Option<CredentialSource>,
    /// The API key that calls use. Also `OCTOPUS_API_KEY`; better is a file.
    pub api_key: Option<Secret>,
    /// A file that holds the API key; read again when it changes. Also `OCTOPUS_API_KEY_FILE`.
    pub api_key_file: Option<PathBuf>,
    /// An Octopus access token, instead of an API key. Also `OCTOPUS_ACCESS_TOKEN`.
    pub access_token: Option<Secret>,
    /// A file that holds the access token; read again when it changes. Also
    /// `OCTOPUS_ACCESS_TOKEN_FILE`.
    pub access_token_file: Option<PathBuf>,
    /// The credentials of groups of callers. The first group that a caller is in counts.
    pub groups: Vec<GroupCredential>,
    /// The service account whose access tokens are got for callers, without a key that is kept.
    pub exchange: Exchange,
    /// Whether this is the instance of callers who name none.
    pub default: bool,
    /// Whether nothing may be changed here, whatever `tools.read_only` says.
    pub read_only: bool,
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
    /// How large an answer of Octopus may be that is read with all its fields: to a request of
    /// `execute`, and a document that a change sends back. A larger one is an error that says how
    /// to request less; `response_limit` applies as well.
    pub execute_limit: ByteSize,
    /// How many requests to this instance may be under way at once. The next ones wait for a
    /// place, as long as one request may take. Logs that are read have half of them at most.
    pub concurrent_requests: u32,
    /// How many requests in a row must fail for want of an answer until calls are refused at once,
    /// for as long as `pause`: those of one caller where only that caller's failed, else all. 0
    /// never refuses.
    pub failures_until_pause: u32,
    /// How long calls to an instance that does not answer are refused before one tries again.
    pub pause: Period,
    /// How long the name of a space stands for an ID before it is looked up again.
    pub space_cache: Period,
}

impl Default for Instance {
    fn default() -> Self {
        Self {
            url: None,
            credential: None,
            api_key: None,
            api_key_file: None,
            access_token: None,
            access_token_file: None,
            groups: Vec::new(),
            exchange: Exchange::default(),
            default: false,
            read_only: false,
            space: None,
            allow_http: false,
            ca_file: None,
            connect_timeout: Period::seconds(5),
            timeout: Period::seconds(30),
            retries: 2,
            retry_after_limit: Period::seconds(5),
            response_limit: ByteSize(32 * 1024 * 1024),
            execute_limit: ByteSize(8 * 1024 * 1024),
            concurrent_requests: 64,
            failures_until_pause: 10,
            pause: Period::seconds(10),
            space_cache: Period::seconds(300),
        }
    }
}

impl Instance {
    /// Whether a key or token for everybody is written here, in any form.
    pub fn has_credential(&self) -> bool {
        self.api_key.is_some()
            || self.api_key_file.is_some()
            || self.access_token.is_some()
            || self.access_token_file.is_some()
    }

    /// Which credential acts: the setting, or what fits what is written.
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

/// Which Octopus credential acts for a caller. Nothing falls back from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CredentialSource {
    /// The caller's own, in the header `X-Octopus-ApiKey`.
    Caller,
    /// The one that the settings of the instance hold.
    Configured,
    /// That of the first group which the caller is in.
    Group,
    /// An access token that Octopus gives for the token of the caller, or for one in a file.
    Exchange,
}

/// The credential of a group of callers.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupCredential {
    /// The group.
    pub group: String,
    /// Its API key; better is a file.
    pub api_key: Option<Secret>,
    /// A file that holds its API key; read again when it changes.
    pub api_key_file: Option<PathBuf>,
}

/// Octopus's own token exchange for a service account.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Exchange {
    /// The ID of the service account's OIDC identity, from its page in Octopus.
    pub audience: Option<String>,
    /// A file with the token to exchange, such as the one that Kubernetes writes for a service
    /// account. Left out, it is the caller's own token, in `auth.mode = "oauth"` alone.
    pub token_file: Option<PathBuf>,
}

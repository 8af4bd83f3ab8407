//! Settings of caller authentication.

mod certificate;
mod modes;
mod oauth;
mod proxy;
mod scope;
mod token;

pub use certificate::{CertificateAuthSettings, SubjectName};
pub use modes::{AuthMode, AuthModes};
pub use oauth::{ClaimGroup, IssuerSettings, OauthSettings, ScopeNames, SigningAlgorithm};
pub use proxy::ProxyAuthSettings;
pub use scope::{GroupScope, TokenScope};
pub use token::{Expiry, TokenSettings, parse_tokens_file};

pub(super) use token::token_errors;

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DurationSetting;

/// Authentication of callers, and the Octopus credential that is used for them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuthSettings {
    /// Authentication mode. `octopus`: every request carries an Octopus credential, which
    /// identifies the caller. `none`: everyone who reaches the listener may call, with their own
    /// Octopus credential, or with the configured one if they send none. `tokens`, `oauth`,
    /// `proxy`, `certificate`: as configured in this section; these can be combined, e.g.
    /// `tokens,oauth`. Default: `none` if an Octopus credential is configured or the sample
    /// instance is enabled, otherwise `octopus`.
    pub mode: Option<AuthModes>,
    /// Allows everyone who reaches a non-loopback listener to use the configured Octopus credential
    /// (default false). Applies to `mode = "none"`.
    pub allow_anonymous: bool,
    /// Tokens for `mode = "tokens"`, by caller name. `octopus-mcp token new NAME` creates a token
    /// and prints its table.
    pub tokens: BTreeMap<String, TokenSettings>,
    /// TOML file with further tables `[auth.tokens.NAME]`; names and tokens must differ from those
    /// in the settings. The file is read again when it changes, and removed tokens become invalid.
    /// A file with a mistake is rejected as a whole: at startup the server does not start. Later
    /// the mistake is logged, and the previous tokens stay valid for `tokens_stale_for`.
    pub tokens_file: Option<PathBuf>,
    /// Time for which the tokens of an unreadable, missing or invalid file stay valid (default
    /// `24h`). After that, none of its tokens is valid until the file is readable again.
    pub tokens_stale_for: DurationSetting,
    /// Scope of the members of a group, for callers whose credential carries no scope: access
    /// tokens without any of `auth.oauth.scope_names`, proxy headers, certificates. If several
    /// groups match, the highest scope applies.
    pub group_scopes: Vec<GroupScope>,
    /// Access tokens of authorization servers, for `mode = "oauth"`.
    pub oauth: OauthSettings,
    /// Identity headers of a trusted proxy, for `mode = "proxy"`. List the proxies in
    /// `http.trusted_proxies`.
    pub proxy: ProxyAuthSettings,
    /// TLS client certificates, for `mode = "certificate"`. `http.tls.client_ca` lists the accepted
    /// certificate authorities.
    pub certificate: CertificateAuthSettings,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            mode: None,
            allow_anonymous: false,
            tokens: BTreeMap::new(),
            tokens_file: None,
            tokens_stale_for: DurationSetting::seconds(24 * 60 * 60),
            group_scopes: Vec::new(),
            oauth: OauthSettings::default(),
            proxy: ProxyAuthSettings::default(),
            certificate: CertificateAuthSettings::default(),
        }
    }
}

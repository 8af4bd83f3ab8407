//! Settings of caller authentication.

mod certificate;
mod modes;
mod oauth;
mod proxy;
mod scope;
mod token;
mod validate;
mod warnings;

pub use certificate::{Certificate, SubjectName};
pub use modes::{AuthMode, Modes};
pub use oauth::{ClaimGroup, Issuer, Oauth, ScopeNames, SigningAlgorithm};
pub use proxy::Proxy;
pub use scope::{GroupScope, Scope};
pub use token::{Expiry, Token, tokens};

pub(super) use validate::validate;

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Period;

/// Authentication of callers, and the Octopus credential that is used for them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Authentication mode. `octopus`: every request carries an Octopus credential, which
    /// identifies the caller. `none`: everyone who reaches the listener may call, with their own
    /// Octopus credential or otherwise the configured one. `tokens`, `oauth`, `proxy`,
    /// `certificate`: as configured in this section; these can be combined, e.g. `tokens,oauth`.
    /// Default: `none` if an Octopus credential is configured or the sample instance is enabled,
    /// otherwise `octopus`.
    pub mode: Option<Modes>,
    /// Allows everyone who reaches a non-loopback listener to use the configured Octopus credential
    /// (default false). Applies to `mode = "none"`.
    pub allow_anonymous: bool,
    /// Tokens for `mode = "tokens"`, by caller name. `octopus-mcp token new NAME` creates a token
    /// and prints its table.
    pub tokens: BTreeMap<String, Token>,
    /// TOML file with further tables `[auth.tokens.NAME]`; names and tokens must differ from those
    /// in the settings. The file is read again when it changes, and removed tokens become invalid.
    /// A file with a mistake is rejected as a whole: at startup the server does not start. Later
    /// the mistake is logged, and the previous tokens stay valid for `tokens_stale_for`.
    pub tokens_file: Option<PathBuf>,
    /// Time for which the tokens of an unreadable, missing or invalid file stay valid (default
    /// `24h`). After that, none of its tokens is valid until the file is readable again.
    pub tokens_stale_for: Period,
    /// Scope of the members of a group, for callers whose credential carries no scope: access
    /// tokens without any of `auth.oauth.scope_names`, proxy headers, certificates. If several
    /// groups match, the highest scope applies.
    pub group_scopes: Vec<GroupScope>,
    /// Access tokens of authorization servers, for `mode = "oauth"`.
    pub oauth: Oauth,
    /// Identity headers of a trusted proxy, for `mode = "proxy"`. List the proxies in
    /// `http.trusted_proxies`.
    pub proxy: Proxy,
    /// TLS client certificates, for `mode = "certificate"`. `http.tls.client_ca` lists the accepted
    /// certificate authorities.
    pub certificate: Certificate,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            mode: None,
            allow_anonymous: false,
            tokens: BTreeMap::new(),
            tokens_file: None,
            tokens_stale_for: Period::seconds(24 * 60 * 60),
            group_scopes: Vec::new(),
            oauth: Oauth::default(),
            proxy: Proxy::default(),
            certificate: Certificate::default(),
        }
    }
}

//! The settings of who may call.

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

/// Who may call, and with which Octopus credential.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// How callers are known. `octopus`: a caller is whoever their Octopus credential says, sent
    /// with every request. `none`: whoever reaches the listener may call, with their own credential
    /// or else with the configured one. `tokens`, `oauth`, `proxy`, `certificate`: by what this
    /// section says of each; several of these may be given with commas. Left out, it is `none`
    /// where a credential is configured and `octopus` elsewhere.
    pub mode: Option<Modes>,
    /// Whether a configured credential may be used by anybody who reaches a listener that is not
    /// loopback.
    pub allow_anonymous: bool,
    /// The tokens of callers, by name; `octopus-mcp token new NAME` makes one.
    pub tokens: BTreeMap<String, Token>,
    /// A TOML file with more tables `[auth.tokens.NAME]`, with names and tokens that the settings
    /// do not have. It is read again when it changes. A file with a mistake is refused whole: at
    /// the start the server does not start, later the log has the mistake and the tokens that the
    /// file held last stay good, for as long as `tokens_stale_for`. A token that is taken out is no
    /// longer good.
    pub tokens_file: Option<PathBuf>,
    /// How long the tokens of a file that cannot be read, is away or has a mistake stay good. After
    /// that, none of the file is good until it reads.
    pub tokens_stale_for: Period,
    /// How much the members of a group may do, where what they prove themselves with does not say:
    /// access tokens without one of `auth.oauth.scope_names`, proxy headers, certificates. Of
    /// several groups the most counts.
    pub group_scopes: Vec<GroupScope>,
    /// Access tokens of authorization servers, for `oauth`.
    pub oauth: Oauth,
    /// The header of a trusted proxy, for `proxy`. The proxies are `http.trusted_proxies`.
    pub proxy: Proxy,
    /// Certificates of TLS clients, for `certificate`. `http.tls.client_ca` says which are good.
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

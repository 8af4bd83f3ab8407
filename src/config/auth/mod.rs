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

/// Who may call, and with which Octopus credential.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
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
    /// A TOML file with more tables `[auth.tokens.NAME]`; read again when it changes.
    pub tokens_file: Option<PathBuf>,
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

//! Authentication: identifies the caller of a request and the caller's permissions.
//!
//! [`Authenticators`] verifies the credentials of a request with the configured methods: static
//! bearer tokens, OAuth access tokens, headers of a trusted proxy and TLS client certificates. Each
//! method returns an [`Identity`] or an [`AuthError`]. `octopus::Instances` selects the
//! Octopus credential of the caller separately.

mod authenticators;
mod caller;
mod certificate;
mod error;
mod oauth;
mod proxy;
mod tokens;
mod tokens_file;

pub use crate::config::TokenScope;
pub use authenticators::Authenticators;
pub use caller::{AuthMethod, Caller, Grants, Identity};
pub use error::{AuthError, AuthSetupError};
pub use oauth::{IssuerSetupError, OauthVerifier};
pub use proxy::ProxyHeaders;
pub use tokens::{StaticTokens, generate_token};
pub use tokens_file::CheckToken;

use caller::highest_group_scope;

//! The configured authentication of callers.

use http::HeaderName;

use crate::{
    auth::{AuthSetupError, Authenticators, CheckToken},
    config::{self, AuthMode, AuthModes, Config},
    telemetry::Metrics,
};

/// The configured authentication of callers.
#[derive(Debug)]
pub enum Auth {
    /// The caller must send an Octopus credential.
    Octopus,
    /// Callers are not authenticated. An Octopus credential is optional.
    None,
    /// Callers are not authenticated, and credentials are ignored. Used by providers that need no
    /// credential.
    Open,
    /// The caller must send a proof of identity: a token, an OAuth access token, the header of a
    /// trusted proxy or a client certificate.
    Authenticated(Box<Authenticators>),
}

impl Auth {
    /// Creates the authentication from `auth.mode` and its sections. `check` validates the toolsets
    /// in a token file.
    ///
    /// # Errors
    ///
    /// Returns an error if settings or files are not valid.
    pub fn from_config(
        config: &Config,
        check: CheckToken,
        metrics: &Metrics,
    ) -> Result<Self, AuthSetupError> {
        let modes = config.auth_modes();
        if AuthModes::AUTHENTICATING.into_iter().any(|mode| modes.has(mode)) {
            return Ok(Self::Authenticated(Box::new(Authenticators::from_config(
                config, check, metrics,
            )?)));
        }
        Ok(if modes.has(AuthMode::None) { Self::None } else { Self::Octopus })
    }

    /// Returns the authenticators of [`Auth::Authenticated`].
    pub(in crate::http) fn authenticators(&self) -> Option<&Authenticators> {
        match self {
            Self::Authenticated(authenticators) => Some(authenticators),
            Self::Octopus | Self::None | Self::Open => None,
        }
    }

    /// Returns the headers in which a trusted proxy names the caller.
    pub(super) fn proxy_headers(&self) -> impl Iterator<Item = HeaderName> {
        let proxy = self.authenticators().and_then(Authenticators::proxy);
        proxy
            .into_iter()
            .flat_map(config::ProxyAuthSettings::identity_headers)
            .filter_map(|(_, name)| name.parse().ok())
    }
}

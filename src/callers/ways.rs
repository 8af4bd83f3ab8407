//! Dispatches credentials to the configured authentication methods.

use std::sync::Arc;

use jiff::Timestamp;

use super::{CheckToken, Named, Oauth, Refused, Tokens, Who, certificate, proxy, tokens::PREFIX};
use crate::{
    config::{self, AuthMode, Config},
    telemetry::Metrics,
};

/// The configured authentication methods. Methods that are not configured are `None`.
#[derive(Debug)]
pub struct Ways {
    tokens: Option<Tokens>,
    oauth: Option<Oauth>,
    proxy: Option<config::Proxy>,
    certificate: Option<config::Certificate>,
    group_scopes: Vec<config::GroupScope>,
}

impl Ways {
    /// Creates the configured methods without sending any request. `check` validates the tokens of
    /// the tokens file, now and after each change. Requests to OAuth issuers are counted in
    /// `metrics`.
    pub fn from_config(
        config: &Config,
        check: CheckToken,
        metrics: &Metrics,
    ) -> Result<Self, String> {
        let (auth, modes) = (&config.auth, config.auth_modes());
        let tokens = modes.has(AuthMode::Tokens).then(|| Tokens::from_config(config, check));
        let oauth = modes.has(AuthMode::Oauth).then(|| Oauth::from_config(config, metrics));
        Ok(Self {
            tokens: tokens.transpose()?,
            oauth: oauth.transpose()?,
            proxy: modes.has(AuthMode::Proxy).then(|| auth.proxy.clone()),
            certificate: modes.has(AuthMode::Certificate).then(|| auth.certificate.clone()),
            group_scopes: auth.group_scopes.clone(),
        })
    }

    /// Returns whether static bearer tokens are accepted.
    pub fn take_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// Returns the OAuth verifier, if OAuth is configured.
    pub fn oauth(&self) -> Option<&Oauth> {
        self.oauth.as_ref()
    }

    /// Returns the settings of the identity headers, if proxy authentication is configured.
    pub fn proxy(&self) -> Option<&config::Proxy> {
        self.proxy.as_ref()
    }

    /// Returns whether TLS client certificates are accepted.
    pub fn take_certificates(&self) -> bool {
        self.certificate.is_some()
    }

    /// Authenticates a bearer token at the endpoint with this path.
    ///
    /// If static tokens and OAuth are both configured, the token prefix decides which method
    /// applies.
    pub async fn bearer(&self, token: &str, path: &str) -> Result<Arc<Who>, Refused> {
        match (&self.tokens, &self.oauth) {
            (Some(tokens), _) if token.starts_with(PREFIX) => tokens.who(token, Timestamp::now()),
            (_, Some(oauth)) => oauth.who(token, path).await.map(Arc::new),
            (Some(tokens), None) => tokens.who(token, Timestamp::now()),
            (None, None) => Err(Refused::Invalid("this server does not accept bearer tokens")),
        }
    }

    /// Authenticates the identity headers of a trusted proxy.
    pub fn named(&self, named: &Named<'_>) -> Result<Arc<Who>, Refused> {
        let settings = self.proxy.as_ref();
        let settings = settings
            .ok_or(Refused::Invalid("proxy authentication is not enabled on this server"))?;
        proxy::who(named, settings, &self.group_scopes).map(Arc::new)
    }

    /// Authenticates a TLS client certificate in DER encoding.
    pub fn certified(&self, der: &[u8]) -> Result<Arc<Who>, Refused> {
        let settings = self.certificate.as_ref();
        let settings =
            settings.ok_or(Refused::Invalid("this server does not accept client certificates"))?;
        certificate::who(der, settings, &self.group_scopes, Timestamp::now()).map(Arc::new)
    }
}

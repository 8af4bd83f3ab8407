//! The ways in which callers are known here.

use std::sync::Arc;

use jiff::Timestamp;

use super::{CheckToken, Named, Oauth, Refused, Tokens, Who, certificate, proxy, tokens::PREFIX};
use crate::{
    config::{self, AuthMode, Config},
    telemetry::Metrics,
};

/// The ways in which callers are known here, each as the settings have it, or not at all.
#[derive(Debug)]
pub struct Ways {
    tokens: Option<Tokens>,
    oauth: Option<Oauth>,
    proxy: Option<config::Proxy>,
    certificate: Option<config::Certificate>,
    group_scopes: Vec<config::GroupScope>,
}

impl Ways {
    /// The ways that the settings name. Nothing is sent yet. `check` is asked about the tokens of a
    /// file, now and when it changes; what is asked of issuers is counted in `metrics`.
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

    /// Whether tokens of this server are taken.
    pub fn take_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// The authorization servers whose access tokens are taken.
    pub fn oauth(&self) -> Option<&Oauth> {
        self.oauth.as_ref()
    }

    /// The headers in which a trusted proxy names callers, where one may.
    pub fn proxy(&self) -> Option<&config::Proxy> {
        self.proxy.as_ref()
    }

    /// Whether certificates of TLS clients are taken.
    pub fn take_certificates(&self) -> bool {
        self.certificate.is_some()
    }

    /// Whoever sends this token to the endpoint with this path.
    pub async fn bearer(&self, token: &str, path: &str) -> Result<Arc<Who>, Refused> {
        match (&self.tokens, &self.oauth) {
            (Some(tokens), _) if token.starts_with(PREFIX) => tokens.who(token, Timestamp::now()),
            (_, Some(oauth)) => oauth.who(token, path).await.map(Arc::new),
            (Some(tokens), None) => tokens.who(token, Timestamp::now()),
            (None, None) => Err(Refused::Invalid("this server takes no tokens")),
        }
    }

    /// Whom a trusted proxy names.
    pub fn named(&self, named: &Named<'_>) -> Result<Arc<Who>, Refused> {
        let settings = self.proxy.as_ref();
        let settings = settings.ok_or(Refused::Invalid("this server believes no proxy"))?;
        proxy::who(named, settings, &self.group_scopes).map(Arc::new)
    }

    /// Whom the certificate of a TLS client names.
    pub fn certified(&self, der: &[u8]) -> Result<Arc<Who>, Refused> {
        let settings = self.certificate.as_ref();
        let settings = settings.ok_or(Refused::Invalid("this server takes no certificates"))?;
        certificate::who(der, settings, &self.group_scopes, Timestamp::now()).map(Arc::new)
    }
}

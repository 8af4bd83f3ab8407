//! Dispatches credentials to the configured authentication methods.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    AuthError, AuthSetupError, CheckToken, Identity, OauthVerifier, ProxyHeaders, StaticTokens,
    certificate, proxy, tokens::TOKEN_PREFIX,
};
use crate::{
    config::{self, AuthMode, Config},
    telemetry::Metrics,
};

/// The configured authentication methods. Methods that are not configured are `None`.
#[derive(Debug)]
pub struct Authenticators {
    tokens: Option<StaticTokens>,
    oauth: Option<OauthVerifier>,
    proxy: Option<config::ProxyAuthSettings>,
    certificate: Option<config::CertificateAuthSettings>,
    group_scopes: Vec<config::GroupScope>,
}

impl Authenticators {
    /// Creates the configured methods without sending any request.
    ///
    /// `check` validates the tokens of the tokens file, now and after each change. Requests to
    /// OAuth issuers are counted in `metrics`.
    ///
    /// # Errors
    ///
    /// Returns a message for the operator, if the tokens file or an issuer setting is not valid.
    pub fn from_config(
        config: &Config,
        check: CheckToken,
        metrics: &Metrics,
    ) -> Result<Self, AuthSetupError> {
        let (auth, modes) = (&config.auth, config.auth_modes());
        let tokens = modes.has(AuthMode::Tokens).then(|| StaticTokens::from_config(config, check));
        let oauth = modes.has(AuthMode::Oauth).then(|| OauthVerifier::from_config(config, metrics));
        Ok(Self {
            tokens: tokens.transpose()?,
            oauth: oauth.transpose()?,
            proxy: modes.has(AuthMode::Proxy).then(|| auth.proxy.clone()),
            certificate: modes.has(AuthMode::Certificate).then(|| auth.certificate.clone()),
            group_scopes: auth.group_scopes.clone(),
        })
    }

    /// Returns whether static bearer tokens are accepted.
    pub fn accepts_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// Returns the OAuth verifier, if OAuth is configured.
    pub fn oauth(&self) -> Option<&OauthVerifier> {
        self.oauth.as_ref()
    }

    /// Returns the settings of the identity headers, if proxy authentication is configured.
    pub fn proxy(&self) -> Option<&config::ProxyAuthSettings> {
        self.proxy.as_ref()
    }

    /// Returns whether TLS client certificates are accepted.
    pub fn accepts_certificates(&self) -> bool {
        self.certificate.is_some()
    }

    /// Authenticates a bearer token at the endpoint with this path.
    ///
    /// If static tokens and OAuth are both configured, the token prefix selects the
    /// method.
    ///
    /// # Errors
    ///
    /// Returns [`AuthError`] if the token is not valid, grants no access or cannot be verified now.
    pub async fn authenticate_bearer(
        &self,
        token: &str,
        path: &str,
    ) -> Result<Arc<Identity>, AuthError> {
        match (&self.tokens, &self.oauth) {
            (Some(tokens), _) if token.starts_with(TOKEN_PREFIX) => {
                tokens.authenticate(token, Timestamp::now())
            }
            (_, Some(oauth)) => oauth.verify(token, path).await.map(Arc::new),
            (Some(tokens), None) => tokens.authenticate(token, Timestamp::now()),
            (None, None) => Err(AuthError::Invalid("this server does not accept bearer tokens")),
        }
    }

    /// Authenticates the identity headers of a trusted proxy.
    ///
    /// # Errors
    ///
    /// Returns [`AuthError`] if the headers are not valid, grant no access or are not enabled.
    pub fn authenticate_proxy(&self, named: &ProxyHeaders<'_>) -> Result<Arc<Identity>, AuthError> {
        let settings = self.proxy.as_ref();
        let settings = settings
            .ok_or(AuthError::Invalid("proxy authentication is not enabled on this server"))?;
        proxy::identify(named, settings, &self.group_scopes).map(Arc::new)
    }

    /// Authenticates a TLS client certificate in DER encoding.
    ///
    /// # Errors
    ///
    /// Returns [`AuthError`] if the certificate is not valid, grants no access or is not accepted.
    pub fn authenticate_certificate(&self, der: &[u8]) -> Result<Arc<Identity>, AuthError> {
        let settings = self.certificate.as_ref();
        let settings = settings
            .ok_or(AuthError::Invalid("this server does not accept client certificates"))?;
        certificate::identify(der, settings, &self.group_scopes, Timestamp::now()).map(Arc::new)
    }
}

//! Token exchange with Octopus: exchanges a token of an OpenID Connect issuer for an access token
//! of an Octopus service account (<https://octopus.com/docs/octopus-rest-api/openid-connect>). No
//! API key has to be stored.
//!
//! The exchanged token is sent to the token endpoint of the instance and nowhere else: below the
//! configured URL, or at the origin that the settings name. A self-hosted Octopus advertises the
//! endpoint at its public URL, which can differ from the URL that this server uses.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderValue, header::USER_AGENT};
use moka::{Expiry, future::Cache};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::{Origin, Url};

use super::{
    breaker::Requester,
    configured_credential::ConfiguredCredential,
    credential_error::CredentialError,
    credentials::{Credentials, Fingerprint},
    error::Error,
    instance_client::Client,
    request_limiter::TransferMode,
    response::RawResponse,
    session::DEFAULT_USER_AGENT,
    token_response::{self, IssuedToken},
    transport::RequestMeta,
};
use crate::config;

/// Token exchange at one instance.
#[derive(Debug)]
pub struct TokenExchange {
    client: Client,
    audience: String,
    /// File with the token to exchange; without a file, the caller's token is exchanged.
    file: Option<ConfiguredCredential>,
    /// Origins that the token endpoint may have: that of the instance, and the one in the settings.
    allowed_origins: Vec<Origin>,
    /// URLs of the token endpoint, in the order in which they are tried.
    endpoints: Cache<(), Arc<Vec<Url>>>,
    /// Results of exchanges by the fingerprint of the exchanged token. Each caller has its
    /// own result; concurrent calls share one exchange.
    results: Cache<Fingerprint, ExchangeResult>,
}

/// Result of an exchange.
#[derive(Debug, Clone)]
enum ExchangeResult {
    Issued { credentials: Credentials, issued_at: Instant, valid_for: Duration },
    Failed { error: CredentialError, ttl: Duration },
}

/// Maximum number of cached results.
const MAX_RESULTS: u64 = 10_000;
/// Time for which the token endpoint is cached.
const ENDPOINTS_TTL: Duration = Duration::from_mins(10);
/// Maximum size of a response in bytes.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;
/// Time for which a rejection is cached. Short, so that a corrected configuration takes effect
/// soon.
const REJECTION_TTL: Duration = Duration::from_secs(10);
/// Time for which a failed exchange is cached.
const FAILURE_TTL: Duration = Duration::from_secs(2);
/// Minimum age of an issued token that is renewed because Octopus rejected it.
const MIN_RENEWAL_AGE: Duration = Duration::from_secs(2);

impl TokenExchange {
    /// Creates the exchange from the settings. Sends nothing yet.
    ///
    /// # Errors
    ///
    /// Returns an error if the audience is missing or the token file cannot be read.
    pub(in crate::octopus) fn from_config(
        client: Client,
        settings: &config::TokenExchangeSettings,
    ) -> Result<Self, String> {
        let audience =
            settings.audience.clone().ok_or("exchange.audience is required but not set")?;
        let file = settings.token_file.as_deref();
        let file =
            file.map(|path| ConfiguredCredential::open_token_file("exchange.token_file", path));
        let allowed_origins = [Some(client.url()), settings.token_endpoint_origin.as_ref()];
        Ok(Self {
            allowed_origins: allowed_origins.into_iter().flatten().map(Url::origin).collect(),
            client,
            audience,
            file: file.transpose()?,
            endpoints: Cache::builder().max_capacity(1).time_to_live(ENDPOINTS_TTL).build(),
            results: Cache::builder().max_capacity(MAX_RESULTS).expire_after(ResultExpiry).build(),
        })
    }

    /// Returns the access token for the token in the file, or without a file for the caller's
    /// token.
    pub(in crate::octopus) async fn credentials(
        &self,
        caller_token: Option<&SecretString>,
    ) -> Result<Credentials, CredentialError> {
        let subject = match &self.file {
            None => caller_token
                .cloned()
                .ok_or_else(|| CredentialError::NoToken(self.instance_name()))?,
            Some(file) => file.current().secret().clone(),
        };
        let fingerprint = Fingerprint::of([subject.expose_secret().as_bytes()]);
        let exchange = async {
            match self.exchange(&subject, fingerprint).await {
                Ok(IssuedToken { credentials, valid_for }) => {
                    ExchangeResult::Issued { credentials, issued_at: Instant::now(), valid_for }
                }
                Err(error) => {
                    tracing::warn!(instance = self.instance_name(), %error, "token exchange failed");
                    let is_rejection = matches!(error, CredentialError::ExchangeRejected(..));
                    let ttl = if is_rejection { REJECTION_TTL } else { FAILURE_TTL };
                    ExchangeResult::Failed { error, ttl }
                }
            }
        };
        let result = self
            .results
            .entry(fingerprint)
            .or_insert_with_if(exchange, ExchangeResult::is_stale)
            .await;
        match result.into_value() {
            ExchangeResult::Issued { credentials, .. } => Ok(credentials),
            ExchangeResult::Failed { error, .. } => Err(error),
        }
    }

    async fn exchange(
        &self,
        subject: &SecretString,
        fingerprint: Fingerprint,
    ) -> Result<IssuedToken, CredentialError> {
        let transport = self.client.transport();
        let body = token_response::exchange_request(&self.audience, subject);
        let endpoints = self.endpoints(fingerprint).await?;
        let is_guess = endpoints.len() > 1;
        for endpoint in endpoints.iter() {
            let request = transport.write_client.post(endpoint.clone()).json(&body);
            let answer = match self.send(fingerprint, endpoint.path(), request).await {
                Ok(answer) => answer,
                // Some versions have the endpoint at the next URL.
                Err(Error::NotFound { .. }) => continue,
                Err(Error::Unauthorized { .. }) if is_guess => continue,
                Err(
                    Error::Rejected { message, .. }
                    | Error::Unauthorized { message, .. }
                    | Error::Forbidden { message },
                ) => return Err(CredentialError::ExchangeRejected(self.instance_name(), message)),
                Err(error) => return Err(error.into()),
            };
            let IssuedToken { credentials, valid_for } =
                IssuedToken::read(&answer).ok_or_else(|| {
                    self.unavailable("the response of its token endpoint contains no access token")
                })?;
            return Ok(IssuedToken {
                credentials: credentials.with_fingerprint(self.fingerprint()).into_configured(),
                valid_for,
            });
        }
        Err(self.unavailable(
            "it has no token endpoint; the token exchange needs Octopus 2023.4 or later",
        ))
    }

    /// Returns the URLs of the token endpoint from the discovery document. If it contains none,
    /// returns the default URLs.
    async fn endpoints(&self, fingerprint: Fingerprint) -> Result<Arc<Vec<Url>>, CredentialError> {
        #[derive(Deserialize)]
        struct Discovery {
            token_endpoint: Option<String>,
        }
        let look_up = async {
            let transport = self.client.transport();
            let url = self.url_below(".well-known/openid-configuration")?;
            let request = transport.write_client.get(url.clone());
            let advertised = match self.send(fingerprint, url.path(), request).await {
                Ok(answer) => answer.json::<Discovery>(url.path())?.token_endpoint,
                Err(Error::NotFound { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            let Some(advertised) = advertised else {
                let defaults = ["token/v1", "api/token/v1"].map(|path| self.url_below(path));
                return Ok(Arc::new(defaults.into_iter().collect::<Result<_, Error>>()?));
            };
            let endpoint: Option<Url> = advertised.parse().ok();
            let is_allowed = |endpoint: &Url| self.allowed_origins.contains(&endpoint.origin());
            let own = endpoint.as_ref().filter(|endpoint| is_allowed(endpoint)).cloned();
            let own = own.ok_or_else(|| {
                let origin = endpoint.map(|endpoint| endpoint.origin().ascii_serialization());
                tracing::error!(
                    instance = self.instance_name(),
                    token_endpoint = advertised,
                    "foreign token endpoint rejected"
                );
                self.unavailable(&format!(
                    "its token endpoint has a different origin ({}) than the configured URL, so no \
                     token was sent there; the operator of this server should set the URL of the \
                     instance to the URL that Octopus is configured with, or name that origin in \
                     exchange.token_endpoint_origin",
                    origin.as_deref().unwrap_or("not a URL"),
                ))
            })?;
            Ok(Arc::new(vec![own]))
        };
        let endpoints = self.endpoints.try_get_with((), look_up).await;
        endpoints.map_err(|error: Arc<CredentialError>| (*error).clone())
    }

    async fn send(
        &self,
        fingerprint: Fingerprint,
        route: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<RawResponse, Error> {
        let transport = self.client.transport();
        let request = request.header(USER_AGENT, HeaderValue::from_static(DEFAULT_USER_AGENT));
        // Only authenticated callers reach this code.
        let requester = Requester { fingerprint, is_configured: true };
        let outgoing = RequestMeta {
            requester,
            mode: TransferMode::Buffered,
            route,
            proves_credential: false,
        };
        let pending = transport.send(outgoing, request).await?;
        transport.read_body(pending, fingerprint, MAX_RESPONSE_BYTES).await
    }

    fn url_below(&self, path: &str) -> Result<Url, Error> {
        let mut url = self.client.url().clone();
        let reason = "the URL of the instance is not a base URL such as https://host".to_owned();
        url.path_segments_mut()
            .map_err(|()| Error::InvalidRequest { reason })?
            .pop_if_empty()
            .extend(path.split('/'));
        Ok(url)
    }

    /// Identifies the service account at its instance, so that the fingerprint survives renewals of
    /// the token.
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(["exchange", self.client.url().as_str(), &self.audience].map(str::as_bytes))
    }

    fn instance_name(&self) -> String {
        self.client.transport().name().to_owned()
    }

    fn unavailable(&self, reason: &str) -> CredentialError {
        CredentialError::Unavailable(self.instance_name(), reason.to_owned())
    }
}

impl ExchangeResult {
    /// Returns whether Octopus has rejected the issued token and the token is not brand-new.
    fn is_stale(&self) -> bool {
        match self {
            Self::Issued { credentials, issued_at, .. } => {
                credentials.is_rejected() && issued_at.elapsed() > MIN_RENEWAL_AGE
            }
            Self::Failed { .. } => false,
        }
    }

    fn ttl(&self) -> Duration {
        match self {
            Self::Issued { valid_for, .. } => *valid_for,
            Self::Failed { ttl, .. } => *ttl,
        }
    }
}

/// Expires each result after its own lifetime.
struct ResultExpiry;

impl Expiry<Fingerprint, ExchangeResult> for ResultExpiry {
    fn expire_after_create(
        &self,
        _: &Fingerprint,
        result: &ExchangeResult,
        _: Instant,
    ) -> Option<Duration> {
        Some(result.ttl())
    }

    fn expire_after_update(
        &self,
        _: &Fingerprint,
        result: &ExchangeResult,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(result.ttl())
    }
}

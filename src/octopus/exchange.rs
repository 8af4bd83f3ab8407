//! Octopus's own exchange of tokens: for a token that its owner proves to be somebody with, Octopus
//! gives an access token of a service account, so that no key needs to be kept
//! (<https://octopus.com/docs/octopus-rest-api/openid-connect>).
//!
//! The token that is exchanged goes to the token endpoint of the instance and nowhere else.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderValue, header::USER_AGENT};
use moka::{Expiry, future::Cache};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::{
    Answer, Client, Configured, Credentials, Error, Fingerprint, NoCredential,
    breaker::Requester,
    issued::{self, Issued},
    places::Kind,
    session::AGENT,
    transport::Outgoing,
};
use crate::config;

/// The exchange of tokens at one instance.
#[derive(Debug)]
pub struct Exchange {
    client: Client,
    audience: String,
    /// The file whose token is exchanged; the caller's own where there is none.
    file: Option<Configured>,
    /// Where tokens are exchanged, in the order in which that is tried.
    endpoints: Cache<(), Arc<Vec<Url>>>,
    /// What came of exchanges, by the token that was exchanged: so each caller has their own, and
    /// callers at one moment share one exchange.
    known: Cache<Fingerprint, Known>,
}

/// What came of an exchange.
#[derive(Debug, Clone)]
enum Known {
    Got { credentials: Credentials, at: Instant, good_for: Duration },
    Not { why: NoCredential, kept: Duration },
}

/// How many callers' tokens are remembered.
const KNOWN: u64 = 10_000;
/// How long it is believed where tokens are exchanged.
const ENDPOINTS_KEPT: Duration = Duration::from_mins(10);
/// How much an answer may have.
const LIMIT: usize = 64 * 1024;
/// How long a refusal is believed: whoever lifts it wants to see that soon.
const REFUSED: Duration = Duration::from_secs(10);
/// How long Octopus is not asked again where it could not be asked, or refuses what it gave.
const FAILED: Duration = Duration::from_secs(2);

impl Exchange {
    /// The exchange that the settings name. Nothing is sent yet.
    pub(super) fn from_config(client: Client, settings: &config::Exchange) -> Result<Self, String> {
        let audience =
            settings.audience.clone().ok_or("exchange.audience is not set, and must be")?;
        let file = settings.token_file.as_deref();
        let file = file.map(|path| Configured::token_file("exchange.token_file", path));
        Ok(Self {
            client,
            audience,
            file: file.transpose()?,
            endpoints: Cache::builder().max_capacity(1).time_to_live(ENDPOINTS_KEPT).build(),
            known: Cache::builder().max_capacity(KNOWN).expire_after(Lasting).build(),
        })
    }

    /// The access token for this token of a caller, or for the one in the file.
    pub(super) async fn credentials(
        &self,
        theirs: Option<&SecretString>,
    ) -> Result<Credentials, NoCredential> {
        let subject = match &self.file {
            None => theirs.cloned().ok_or_else(|| NoCredential::NoToken(self.name()))?,
            Some(file) => file.read().secret().clone(),
        };
        let whose = Fingerprint::of([subject.expose_secret().as_bytes()]);
        let ask = async {
            match self.ask(&subject, whose).await {
                Ok(Issued { credentials, good_for }) => {
                    Known::Got { credentials, at: Instant::now(), good_for }
                }
                Err(why) => {
                    tracing::warn!(instance = self.name(), error = %why, "no token was exchanged");
                    let refused = matches!(why, NoCredential::Refused(..));
                    Known::Not { why, kept: if refused { REFUSED } else { FAILED } }
                }
            }
        };
        let known = self.known.entry(whose).or_insert_with_if(ask, Known::is_over).await;
        match known.into_value() {
            Known::Got { credentials, .. } => Ok(credentials),
            Known::Not { why, .. } => Err(why),
        }
    }

    async fn ask(
        &self,
        subject: &SecretString,
        whose: Fingerprint,
    ) -> Result<Issued, NoCredential> {
        let transport = self.client.transport();
        let body = issued::request(&self.audience, subject);
        let endpoints = self.endpoints(whose).await?;
        let is_guess = endpoints.len() > 1;
        for endpoint in endpoints.iter() {
            let request = transport.orders.post(endpoint.clone()).json(&body);
            let answer = match self.send(whose, endpoint.path(), request).await {
                Ok(answer) => answer,
                // It is elsewhere in this version.
                Err(Error::NotFound { .. }) => continue,
                Err(Error::Unauthorized { .. }) if is_guess => continue,
                Err(
                    Error::Rejected { message, .. }
                    | Error::Unauthorized { message }
                    | Error::Forbidden { message },
                ) => return Err(NoCredential::Refused(self.name(), message)),
                Err(error) => return Err(error.into()),
            };
            let Issued { credentials, good_for } = Issued::read(&answer)
                .ok_or_else(|| self.broken("the answer of its token endpoint holds no token"))?;
            return Ok(Issued {
                credentials: credentials.known_as(self.fingerprint()).configured(),
                good_for,
            });
        }
        Err(self.broken("it exchanges no tokens; Octopus does that since 2023.4"))
    }

    /// Where tokens are exchanged: where the instance says, or, where it says nothing, where
    /// Octopus has had it.
    async fn endpoints(&self, whose: Fingerprint) -> Result<Arc<Vec<Url>>, NoCredential> {
        #[derive(Deserialize)]
        struct Discovery {
            token_endpoint: Option<String>,
        }
        let look_up = async {
            let transport = self.client.transport();
            let url = self.below(".well-known/openid-configuration")?;
            let request = transport.orders.get(url.clone());
            let said = match self.send(whose, url.path(), request).await {
                Ok(answer) => answer.json::<Discovery>(url.path())?.token_endpoint,
                Err(Error::NotFound { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            let Some(said) = said else {
                let usual = ["token/v1", "api/token/v1"].map(|path| self.below(path));
                return Ok(Arc::new(usual.into_iter().collect::<Result<_, Error>>()?));
            };
            let endpoint: Option<Url> = said.parse().ok();
            let own = endpoint.filter(|endpoint| endpoint.origin() == transport.url().origin());
            let own = own.ok_or_else(|| {
                tracing::error!(instance = self.name(), said, "a foreign token endpoint");
                self.broken(
                    "it names a token endpoint at another address than its own, and no token is \
                     sent there; whoever runs this server should set the URL of the instance to \
                     the one that Octopus knows itself by",
                )
            })?;
            Ok(Arc::new(vec![own]))
        };
        let endpoints = self.endpoints.try_get_with((), look_up).await;
        endpoints.map_err(|error: Arc<NoCredential>| (*error).clone())
    }

    async fn send(
        &self,
        whose: Fingerprint,
        route: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<Answer, Error> {
        let transport = self.client.transport();
        let request = request.header(USER_AGENT, HeaderValue::from_static(AGENT));
        // Only callers that this server has authenticated come here.
        let requester = Requester { fingerprint: whose, is_configured: true };
        let outgoing = Outgoing { requester, kind: Kind::Whole, route, proves_credential: false };
        let begun = transport.begin(outgoing, request).await?;
        transport.whole(begun, whose, LIMIT).await
    }

    fn below(&self, path: &str) -> Result<Url, Error> {
        let mut url = self.client.url().clone();
        let reason = "the URL of the instance cannot have a path".to_owned();
        url.path_segments_mut()
            .map_err(|()| Error::InvalidRequest { reason })?
            .pop_if_empty()
            .extend(path.split('/'));
        Ok(url)
    }

    /// The service account at its instance: what acts stays the same when its token is renewed.
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(["exchange", self.client.url().as_str(), &self.audience].map(str::as_bytes))
    }

    fn name(&self) -> String {
        self.client.transport().name().to_owned()
    }

    fn broken(&self, reason: &str) -> NoCredential {
        NoCredential::Broken(self.name(), reason.to_owned())
    }
}

impl Known {
    /// Whether Octopus has refused what it gave, and not just now.
    fn is_over(&self) -> bool {
        match self {
            Self::Got { credentials, at, .. } => credentials.is_refused() && at.elapsed() > FAILED,
            Self::Not { .. } => false,
        }
    }

    fn kept(&self) -> Duration {
        match self {
            Self::Got { good_for, .. } => *good_for,
            Self::Not { kept, .. } => *kept,
        }
    }
}

/// How long each is remembered.
struct Lasting;

impl Expiry<Fingerprint, Known> for Lasting {
    fn expire_after_create(&self, _: &Fingerprint, known: &Known, _: Instant) -> Option<Duration> {
        Some(known.kept())
    }

    fn expire_after_update(
        &self,
        _: &Fingerprint,
        known: &Known,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(known.kept())
    }
}

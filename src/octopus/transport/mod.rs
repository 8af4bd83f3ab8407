//! The way to an instance: every request to it takes a place, asks the breaker, has its time, and
//! is measured by it.

mod bodies;

use std::time::Duration;

use http::{StatusCode, header::LOCATION};
use url::Url;

use super::{
    Error, MemoryBudget, Reservation,
    breaker::{Breaker, Requester, Verdict},
    connections::{connections, is_out_of_descriptors},
    headers::{content_type, retry_after},
    places::{Kind, NoPlace, Place, Places},
};
use crate::{
    config,
    telemetry::{Asking, Metrics},
    text::cause,
};

/// The way to one instance.
#[derive(Debug)]
pub(super) struct Transport {
    name: String,
    asking: Asking,
    url: Url,
    /// Connections that follow redirects within the instance.
    pub(super) reads: reqwest::Client,
    /// The same for what is sent once: they follow no redirect, which would make a GET of it.
    pub(super) orders: reqwest::Client,
    timeout: Duration,
    places: Places,
    memory: MemoryBudget,
    breaker: Breaker,
}

/// An answer whose head is here. It keeps its place until its body is read.
#[derive(Debug)]
pub(super) struct Begun {
    response: reqwest::Response,
    place: Place,
    /// Memory that was reserved before the request was sent.
    memory: Option<Reservation>,
}

/// What a request is to the transport, beside what is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) requester: Requester,
    pub(super) kind: Kind,
    /// Its path with IDs and names replaced, for logs and metrics.
    pub(super) route: &'a str,
    /// Whether a successful JSON response shows that the instance accepts the credential.
    pub(super) proves_credential: bool,
}

/// How much of the body of a failure is read for its message.
const FAILURE_LIMIT: usize = 64 * 1024;

impl Transport {
    pub(super) fn new(
        name: &str,
        url: Url,
        settings: &config::Instance,
        memory: &MemoryBudget,
        metrics: &Metrics,
    ) -> Result<Self, String> {
        // The one place that chooses; a provider that somebody installed before is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let timeout = settings.timeout.0;
        Ok(Self {
            name: name.to_owned(),
            asking: Asking::new(Some(name), &url, metrics),
            reads: connections(&url, settings, true)?,
            orders: connections(&url, settings, false)?,
            timeout,
            places: Places::new(settings.concurrent_requests, timeout),
            memory: memory.clone(),
            breaker: Breaker::new(settings.failures_until_pause, settings.pause.0),
            url,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn metrics(&self) -> &Metrics {
        self.asking.metrics()
    }

    /// Whether the breaker refuses everybody now.
    pub(super) fn is_paused_for_all(&self) -> bool {
        self.breaker.refuses_all()
    }

    /// Whether the instance accepted the credential of this sender, or the operator chose it.
    pub(super) fn is_proven(&self, requester: Requester) -> bool {
        self.breaker.is_proven(requester)
    }

    /// Whether the breaker would refuse a request of this sender now.
    pub(super) fn is_paused(&self, requester: Requester) -> bool {
        self.breaker.refuses(requester).is_some()
    }

    /// Sends a request and reads the head of its answer. A whole answer has a time
    /// limit over all, of a stream each piece has one.
    pub(super) async fn begin(
        &self,
        outgoing: Outgoing<'_>,
        mut request: reqwest::RequestBuilder,
    ) -> Result<Begun, Error> {
        let Outgoing { requester, kind, route, .. } = outgoing;
        if kind == Kind::Whole {
            request = request.timeout(self.timeout);
        }
        let instance = || self.name().to_owned();
        let paused = |wait| {
            self.asking.unsent(route, "paused");
            Error::Paused { instance: instance(), wait }
        };
        // Nobody waits for a place to be refused then.
        if let Some(wait) = self.breaker.refuses(requester) {
            return Err(paused(wait));
        }
        let taken = self.places.take(kind, self.breaker.is_proven(requester)).await;
        let place = taken.map_err(|reason| {
            self.asking.unsent(route, "busy");
            let after = (reason == NoPlace::TimedOut).then_some(self.timeout);
            Error::Busy { instance: instance(), after }
        })?;
        let pass = self.breaker.enter(requester).map_err(paused)?;
        let response = match self.asking.send(route, request).await {
            Ok(response) => response,
            // Nothing was sent, so nothing is known of the instance.
            Err(error) if error.is_builder() => {
                return Err(Error::InvalidRequest { reason: cause(&error.without_url()) });
            }
            Err(error) => {
                if !is_out_of_descriptors(&error) {
                    pass.failed();
                }
                return Err(self.failed(error));
            }
        };
        let status = response.status();
        if matches!(status.as_u16(), 502..=504) {
            pass.failed();
        } else {
            pass.answered(outgoing.verdict(&response));
        }
        if status.is_success() {
            return Ok(Begun { response, place, memory: None });
        }
        if status.is_redirection() {
            let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let target = target.and_then(|target| self.url.join(target).ok());
            return Err(Error::Redirected {
                origin: origin(&self.url),
                target: target.as_ref().map_or_else(|| "nowhere".to_owned(), origin),
            });
        }
        let wait = retry_after(response.headers());
        let begun = Begun { response, place, memory: None };
        let body = self.read(begun, requester.fingerprint, FAILURE_LIMIT);
        let body = tokio::time::timeout(self.timeout, body);
        let body = body.await.ok().and_then(Result::ok).unwrap_or_default();
        Err(Error::from_answer(status, wait, &body))
    }

    fn failed(&self, error: reqwest::Error) -> Error {
        if error.is_timeout() && !error.is_connect() {
            return Error::TimedOut { after: self.timeout };
        }
        Error::Unreachable { origin: origin(&self.url), reason: cause(&error.without_url()) }
    }
}

impl Outgoing<'_> {
    fn verdict(&self, response: &reqwest::Response) -> Verdict {
        let is_json = || content_type(response.headers()) == "application/json";
        match response.status() {
            StatusCode::UNAUTHORIZED => Verdict::Refused,
            status if status.is_success() && self.proves_credential && is_json() => {
                Verdict::Accepted
            }
            _ => Verdict::Unknown,
        }
    }
}

impl Begun {
    /// The media type, without parameters, in lower case.
    pub(super) fn content_type(&self) -> String {
        content_type(self.response.headers())
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

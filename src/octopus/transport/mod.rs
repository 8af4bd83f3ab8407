//! Transport to one instance. Every request acquires a concurrency permit, passes the circuit
//! breaker, has a timeout and is measured.

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

/// Transport to one instance.
#[derive(Debug)]
pub(super) struct Transport {
    name: String,
    asking: Asking,
    url: Url,
    /// HTTP client for reads; it follows redirects within the instance.
    pub(super) reads: reqwest::Client,
    /// HTTP client for changes; it follows no redirects, which would turn them into a GET.
    pub(super) orders: reqwest::Client,
    timeout: Duration,
    places: Places,
    memory: MemoryBudget,
    breaker: Breaker,
}

/// A response whose status and headers arrived. It holds its permit until the body is read.
#[derive(Debug)]
pub(super) struct Begun {
    response: reqwest::Response,
    place: Place,
    /// Memory that was reserved before the request was sent.
    memory: Option<Reservation>,
}

/// Properties of a request besides the data that is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) requester: Requester,
    pub(super) kind: Kind,
    /// Path with placeholders for IDs and names, for logs and metrics.
    pub(super) route: &'a str,
    /// Whether a successful JSON response proves that the instance accepts the credential.
    pub(super) proves_credential: bool,
}

/// Maximum bytes of an error response that are read for its message.
const FAILURE_LIMIT: usize = 64 * 1024;

impl Transport {
    pub(super) fn new(
        name: &str,
        url: Url,
        settings: &config::Instance,
        memory: &MemoryBudget,
        metrics: &Metrics,
    ) -> Result<Self, String> {
        // Installs the TLS provider of the process. An error means that one is installed already.
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

    /// Returns whether the breaker rejects the requests of all senders now.
    pub(super) fn is_paused_for_all(&self) -> bool {
        self.breaker.refuses_all()
    }

    /// Returns whether the instance accepted the credential of this sender, or the operator
    /// configured it.
    pub(super) fn is_proven(&self, requester: Requester) -> bool {
        self.breaker.is_proven(requester)
    }

    /// Returns whether the breaker would reject a request of this sender now.
    pub(super) fn is_paused(&self, requester: Requester) -> bool {
        self.breaker.refuses(requester).is_some()
    }

    /// Sends a request and reads the status and headers of the response. The timeout covers a
    /// complete response, or each chunk of a stream.
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
        // Check the breaker before the request waits for a permit.
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
            // The request was not sent, so it shows nothing about the instance.
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
    /// Returns the media type without parameters, in lower case.
    pub(super) fn content_type(&self) -> String {
        content_type(self.response.headers())
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

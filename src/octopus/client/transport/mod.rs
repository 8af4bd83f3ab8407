//! Transport to one instance. Every request acquires a concurrency permit, passes the circuit
//! breaker, has a timeout and is measured.

mod bodies;

use std::time::Duration;

use http::{StatusCode, header::LOCATION};
use url::Url;

use super::{
    breaker::{Breaker, CredentialVerdict, Requester},
    budget::{MemoryBudget, Reservation},
    error::Error,
    headers::{content_type, retry_after},
    http_client::{build_http_client, is_out_of_descriptors},
    instance_clock::InstanceClock,
    request_limiter::{LimitError, RequestLimiter, RequestPermit, TransferMode},
    sign_on::is_sign_on_url,
};
use crate::{
    config,
    telemetry::{Metrics, UpstreamTelemetry},
    text::root_cause,
};

/// Transport to one instance.
#[derive(Debug)]
pub(in crate::octopus) struct Transport {
    name: String,
    request_metrics: UpstreamTelemetry,
    url: Url,
    /// HTTP client for reads; it follows redirects within the instance.
    pub(in crate::octopus) read_client: reqwest::Client,
    /// HTTP client for changes; it follows no redirects, which would turn them into a GET.
    pub(in crate::octopus) write_client: reqwest::Client,
    timeout: Duration,
    limiter: RequestLimiter,
    memory: MemoryBudget,
    breaker: Breaker,
    clock: InstanceClock,
}

/// Status and headers of a response. It holds its permit until the body is read.
#[derive(Debug)]
pub(in crate::octopus) struct PendingResponse {
    response: reqwest::Response,
    permit: RequestPermit,
    /// Memory that was reserved before the request was sent.
    memory: Option<Reservation>,
}

/// Properties of a request besides the data that is sent.
#[derive(Debug, Clone, Copy)]
pub(in crate::octopus) struct RequestMeta<'a> {
    pub(in crate::octopus) requester: Requester,
    pub(in crate::octopus) mode: TransferMode,
    /// Path with placeholders for IDs and names, for logs and metrics.
    pub(in crate::octopus) route: &'a str,
    /// Whether a successful JSON response proves that the instance accepts the credential.
    pub(in crate::octopus) proves_credential: bool,
}

/// Maximum bytes of an error response that are read for its message.
const MAX_ERROR_BODY: usize = 64 * 1024;

impl Transport {
    pub(in crate::octopus) fn new(
        name: &str,
        url: Url,
        settings: &config::InstanceSettings,
        memory: &MemoryBudget,
        metrics: &Metrics,
    ) -> Result<Self, String> {
        // Installs the TLS provider of the process. An error means that one is installed already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let timeout = settings.timeout.0;
        Ok(Self {
            name: name.to_owned(),
            request_metrics: UpstreamTelemetry::new(Some(name), &url, metrics),
            read_client: build_http_client(&url, settings, true)?,
            write_client: build_http_client(&url, settings, false)?,
            timeout,
            limiter: RequestLimiter::new(settings.concurrent_requests, timeout),
            memory: memory.clone(),
            breaker: Breaker::new(settings.failures_until_pause, settings.pause.0),
            clock: InstanceClock::default(),
            url,
        })
    }

    pub(in crate::octopus) fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::octopus) fn url(&self) -> &Url {
        &self.url
    }

    pub(in crate::octopus) fn metrics(&self) -> &Metrics {
        self.request_metrics.metrics()
    }

    /// Returns the clock of the instance.
    pub(in crate::octopus) fn clock(&self) -> &InstanceClock {
        &self.clock
    }

    /// Returns whether the breaker rejects the requests of all senders now.
    pub(in crate::octopus) fn is_paused_for_all(&self) -> bool {
        self.breaker.is_open_for_all()
    }

    /// Returns whether the instance accepted the credential of this sender, or the operator
    /// configured it.
    pub(in crate::octopus) fn is_proven(&self, requester: Requester) -> bool {
        self.breaker.is_proven(requester)
    }

    /// Returns whether the breaker would reject a request of this sender now.
    pub(in crate::octopus) fn is_paused(&self, requester: Requester) -> bool {
        self.breaker.remaining_pause(requester).is_some()
    }

    /// Sends a request and reads the status and headers of the response. The timeout covers a
    /// complete response, or each chunk of a stream.
    pub(in crate::octopus) async fn send(
        &self,
        outgoing: RequestMeta<'_>,
        mut request: reqwest::RequestBuilder,
    ) -> Result<PendingResponse, Error> {
        let RequestMeta { requester, mode: kind, route, .. } = outgoing;
        if kind == TransferMode::Buffered {
            request = request.timeout(self.timeout);
        }
        let instance = || self.name().to_owned();
        let paused = |wait| {
            self.request_metrics.record_unsent(route, "paused");
            Error::CircuitOpen { instance: instance(), wait }
        };
        // Check the breaker before the request waits for a permit.
        if let Some(wait) = self.breaker.remaining_pause(requester) {
            return Err(paused(wait));
        }
        let acquired = self.limiter.acquire(kind, self.breaker.is_proven(requester)).await;
        let permit = acquired.map_err(|reason| {
            self.request_metrics.record_unsent(route, "busy");
            let waited = (reason == LimitError::TimedOut).then_some(self.timeout);
            Error::ConcurrencyLimit { instance: instance(), waited }
        })?;
        let pass = self.breaker.acquire(requester).map_err(paused)?;
        let response = match self.request_metrics.send(route, request).await {
            Ok(response) => response,
            // The request was not sent, so it shows nothing about the instance.
            Err(error) if error.is_builder() => {
                return Err(Error::InvalidRequest { reason: root_cause(&error.without_url()) });
            }
            Err(error) => {
                if !is_out_of_descriptors(&error) {
                    pass.record_failure();
                }
                return Err(self.connection_error(error));
            }
        };
        self.clock.record(response.headers());
        let status = response.status();
        if matches!(status.as_u16(), 502..=504) {
            pass.record_failure();
        } else {
            pass.record_response(outgoing.verdict(&response));
        }
        if status.is_success() {
            return Ok(PendingResponse { response, permit, memory: None });
        }
        if status.is_redirection() {
            let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let target = target.and_then(|target| self.url.join(target).ok());
            if let Some(target) = target.as_ref().filter(|target| is_sign_on_url(target)) {
                let (from, to) = (origin(&self.url), origin(target));
                let received = format!("{from} redirects to the sign-on page of {to}");
                return Err(Error::SignOnPage { received });
            }
            return Err(Error::Redirected {
                origin: origin(&self.url),
                target: target.as_ref().map_or_else(|| "nowhere".to_owned(), origin),
            });
        }
        let wait = retry_after(response.headers());
        if is_html_denial(&response) {
            return Err(Error::SignOnPage {
                received: format!("{route} returned {} with an HTML page", status.as_u16()),
            });
        }
        let pending = PendingResponse { response, permit, memory: None };
        let body = self.read_shared_body(pending, requester.fingerprint, MAX_ERROR_BODY);
        let body = tokio::time::timeout(self.timeout, body);
        let body = body.await.ok().and_then(Result::ok).unwrap_or_default();
        Err(Error::from_response(status, wait, &body))
    }

    fn connection_error(&self, error: reqwest::Error) -> Error {
        if error.is_timeout() && !error.is_connect() {
            return Error::TimedOut { timeout: self.timeout };
        }
        Error::Unreachable { origin: origin(&self.url), reason: root_cause(&error.without_url()) }
    }
}

impl RequestMeta<'_> {
    fn verdict(&self, response: &reqwest::Response) -> CredentialVerdict {
        let is_json = || content_type(response.headers()) == "application/json";
        match response.status() {
            // An HTML page is not from Octopus, so it shows nothing about the credential.
            StatusCode::UNAUTHORIZED if !is_html_denial(response) => CredentialVerdict::Rejected,
            status if status.is_success() && self.proves_credential && is_json() => {
                CredentialVerdict::Accepted
            }
            _ => CredentialVerdict::Unknown,
        }
    }
}

impl PendingResponse {
    /// Returns the media type without parameters, in lower case.
    pub(in crate::octopus) fn content_type(&self) -> String {
        content_type(self.response.headers())
    }
}

/// Returns whether access was denied with an HTML page. The API of Octopus denies with JSON.
fn is_html_denial(response: &reqwest::Response) -> bool {
    matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        && content_type(response.headers()) == "text/html"
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

//! Traces and metrics of outgoing HTTP requests, following the OpenTelemetry semantic conventions
//! for HTTP clients.

use std::time::Instant;

use tracing::{Instrument, Span, field::Empty};
use url::Url;

use super::{
    metrics::{Metrics, UpstreamRequestMetrics},
    traces,
};

/// Error type of a request whose future was dropped before the response arrived.
const GIVEN_UP: &str = "given_up";

/// Sends requests to one upstream server and records spans and metrics for them.
#[derive(Debug)]
pub struct UpstreamTelemetry {
    instance: Option<String>,
    host: String,
    port: u16,
    metrics: Metrics,
}

impl UpstreamTelemetry {
    /// Creates the instrumentation for the server at `url`. `instance` is its name in the settings
    /// if it is an Octopus instance.
    pub fn new(instance: Option<&str>, url: &Url, metrics: &Metrics) -> Self {
        Self {
            instance: instance.map(str::to_owned),
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
            metrics: metrics.clone(),
        }
    }

    /// Returns the metrics that record the requests.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Sends a request and waits for the head of the response. The request carries the trace
    /// context of its span.
    pub async fn send(
        &self,
        route: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let (client, request) = request.build_split();
        let mut request = request?;
        let method = request.method().clone();
        let span = tracing::info_span!(
            "upstream_request",
            otel.name = format!("{method} {route}"),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = %method,
            http.response.status_code = Empty,
            error.type = Empty,
            url.template = route,
            server.address = self.host,
            server.port = self.port,
            octopus.instance = self.instance,
        );
        span.in_scope(|| traces::inject_trace_context(request.headers_mut()));
        let mut sent = SentRequest {
            telemetry: self,
            method: method.as_str(),
            route,
            span: &span,
            started: Instant::now(),
            outcome: Err(GIVEN_UP),
        };
        let result = client.execute(request).instrument(span.clone()).await;
        sent.outcome = outcome_of(&result);
        result
    }

    /// Records a request that was not sent, with the reason as error type.
    pub fn record_unsent(&self, route: &str, error_type: &'static str) {
        self.record("", route, Err(error_type), None);
    }

    fn record(
        &self,
        method: &str,
        route: &str,
        outcome: Result<u16, &'static str>,
        duration: Option<std::time::Duration>,
    ) {
        let Self { instance, host, port, metrics } = self;
        let instance = instance.as_deref();
        metrics.record_upstream_request(&UpstreamRequestMetrics {
            instance,
            host,
            port: *port,
            method,
            route,
            outcome,
            duration,
        });
    }
}

/// A request that was sent. Dropping it records the request, even if its future was cancelled.
struct SentRequest<'a> {
    telemetry: &'a UpstreamTelemetry,
    method: &'a str,
    route: &'a str,
    span: &'a Span,
    started: Instant,
    outcome: Result<u16, &'static str>,
}

impl Drop for SentRequest<'_> {
    fn drop(&mut self) {
        let Self { telemetry, method, route, span, started, outcome } = *self;
        let duration = started.elapsed();
        record_on_span(span, outcome);
        tracing::debug!(
            instance = telemetry.instance,
            route,
            status = outcome.ok(),
            elapsed_ms = duration.as_millis(),
            "upstream request ended"
        );
        telemetry.record(method, route, outcome, Some(duration));
    }
}

/// Returns the status of a response or the error type of a failed request.
fn outcome_of(result: &Result<reqwest::Response, reqwest::Error>) -> Result<u16, &'static str> {
    match result {
        Ok(response) => Ok(response.status().as_u16()),
        // The request could not be built, so it was not sent.
        Err(error) if error.is_builder() => Err("invalid"),
        Err(error) if error.is_timeout() => Err("timeout"),
        Err(error) if error.is_connect() => Err("connect"),
        Err(_) => Err("broken"),
    }
}

fn record_on_span(span: &Span, outcome: Result<u16, &'static str>) {
    match outcome {
        Ok(status) => {
            span.record("http.response.status_code", status);
            if status >= 400 {
                span.record("otel.status_code", "ERROR");
                span.record("error.type", status.to_string());
            }
        }
        Err(error_type) => {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", error_type);
        }
    }
}

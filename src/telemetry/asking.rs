//! A request to another server, as traces and metrics see it (OpenTelemetry, semantic conventions for
//! clients of HTTP).

use std::time::Instant;

use tracing::{Instrument, Span, field::Empty};
use url::Url;

use super::{
    metrics::{Metrics, Upstream},
    traces,
};

/// Why a request has no answer that nobody waited for.
const GIVEN_UP: &str = "given_up";

/// Requests to one server, and how they are told of.
#[derive(Debug)]
pub struct Asking {
    instance: Option<String>,
    host: String,
    port: u16,
    metrics: Metrics,
}

impl Asking {
    /// Requests to the server at `url`, which is the instance of Octopus of this name, or none.
    pub fn new(instance: Option<&str>, url: &Url, metrics: &Metrics) -> Self {
        Self {
            instance: instance.map(str::to_owned),
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
            metrics: metrics.clone(),
        }
    }

    /// Where it is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Sends a request and waits for the head of its answer. It carries the trace that it is a part
    /// of.
    pub async fn send(
        &self,
        route: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let (client, request) = request.build_split();
        let mut request = request?;
        let method = request.method().clone();
        let span = tracing::info_span!(
            "asked",
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
        span.in_scope(|| traces::carry(request.headers_mut()));
        let mut sent = Sent {
            asking: self,
            method: method.as_str(),
            route,
            span: &span,
            began: Instant::now(),
            came: Err(GIVEN_UP),
        };
        let came = client.execute(request).instrument(span.clone()).await;
        sent.came = told(&came);
        came
    }

    /// A request was not sent, for this reason.
    pub fn unsent(&self, route: &str, why: &'static str) {
        self.tell("", route, Err(why), None);
    }

    fn tell(
        &self,
        method: &str,
        route: &str,
        came: Result<u16, &'static str>,
        took: Option<std::time::Duration>,
    ) {
        let Self { instance, host, port, metrics } = self;
        let instance = instance.as_deref();
        metrics.upstream(&Upstream { instance, host, port: *port, method, route, came, took });
    }
}

/// A request that was sent. It is told of when this goes, so also where nobody waits for its answer
/// any more.
struct Sent<'a> {
    asking: &'a Asking,
    method: &'a str,
    route: &'a str,
    span: &'a Span,
    began: Instant,
    came: Result<u16, &'static str>,
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        let Self { asking, method, route, span, began, came } = *self;
        let took = began.elapsed();
        note(span, came);
        tracing::debug!(
            instance = asking.instance,
            route,
            status = came.ok(),
            elapsed_ms = took.as_millis(),
            "was asked"
        );
        asking.tell(method, route, came, Some(took));
    }
}

/// The status of an answer, or why there is none.
fn told(came: &Result<reqwest::Response, reqwest::Error>) -> Result<u16, &'static str> {
    match came {
        Ok(response) => Ok(response.status().as_u16()),
        // It was not sent.
        Err(error) if error.is_builder() => Err("invalid"),
        Err(error) if error.is_timeout() => Err("timeout"),
        Err(error) if error.is_connect() => Err("connect"),
        Err(_) => Err("broken"),
    }
}

fn note(span: &Span, told: Result<u16, &'static str>) {
    match told {
        Ok(status) => {
            span.record("http.response.status_code", status);
            if status >= 400 {
                span.record("otel.status_code", "ERROR");
                span.record("error.type", status.to_string());
            }
        }
        Err(why) => {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", why);
        }
    }
}

//! An ID and a span for each request, one line about it when it ends, and its place in the metrics.

use std::{borrow::Cow, sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, Method, Version};
use tracing::{Instrument, Span, field::Empty};
use uuid::Uuid;

use super::{
    Gate,
    peer::{Peer, scheme},
};
use crate::telemetry::{self, Metrics, OTHER, Served};

/// The header that carries the ID of a request, in and out.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How much of a path or a method is told.
const LONGEST: usize = 100;

/// Gives the request an ID, or keeps the one that a proxy gave it, and makes it a part of the trace
/// that its headers name.
pub(super) async fn trace(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| is_request_id(id))
        .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    if let Ok(id) = HeaderValue::from_str(&id) {
        request.headers_mut().insert(REQUEST_ID, id);
    }
    let method = request.method().clone();
    // The path alone: a query may hold a credential.
    let path = short(request.uri().path());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let version = if request.version() == Version::HTTP_2 { "2" } else { "1.1" };
    let scheme = scheme(request.extensions().get::<Peer>(), &gate.http);
    let span = span(&method, route.as_ref().map(MatchedPath::as_str), &id);
    telemetry::note(&span, "url.path", path.as_str());
    telemetry::note(&span, "url.scheme", scheme);
    telemetry::continued(&span, request.headers());
    if let Some(trace) = telemetry::trace_of(&span) {
        span.record("trace", trace);
    }
    request.extensions_mut().insert(telemetry::Around::of(&span));
    let outer = span.clone();
    async move {
        let mut serving = Serving::begin(
            &gate.metrics,
            &outer,
            &path,
            Served {
                method: method.as_str(),
                scheme,
                route: route.as_ref().map(MatchedPath::as_str),
                status: None,
                version,
                took: std::time::Duration::ZERO,
            },
        );
        let mut response = next.run(request).await;
        serving.request.status = Some(response.status().as_u16());
        drop(serving);
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
    .await
}

/// The span of a request. Its name has no words of whoever calls (OpenTelemetry, semantic
/// conventions for HTTP spans, "Name").
fn span(method: &Method, route: Option<&str>, id: &str) -> Span {
    let verb = telemetry::verb(method.as_str());
    let name = if verb == OTHER { "HTTP" } else { verb };
    let span = tracing::info_span!(
        "request",
        otel.name = route.map_or_else(|| name.to_owned(), |route| format!("{name} {route}")),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = verb,
        http.route = route,
        http.response.status_code = Empty,
        error.type = Empty,
        id,
        trace = Empty,
    );
    if verb == OTHER {
        telemetry::note(&span, "http.request.method_original", short(method.as_str()));
    }
    span
}

/// A request that is being answered. It is told of when this goes, so also where nobody waits for
/// its answer any more.
struct Serving<'a> {
    metrics: &'a Metrics,
    span: &'a Span,
    path: &'a str,
    request: Served<'a>,
    began: Instant,
}

impl<'a> Serving<'a> {
    fn begin(metrics: &'a Metrics, span: &'a Span, path: &'a str, request: Served<'a>) -> Self {
        metrics.serving(1, request.method, request.scheme);
        Self { metrics, span, path, request, began: Instant::now() }
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        let Self { metrics, span, path, mut request, began } = *self;
        request.took = began.elapsed();
        metrics.serving(-1, request.method, request.scheme);
        if let Some(status) = request.status {
            span.record("http.response.status_code", status);
        }
        if let Some(error) = request.error() {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", error);
        }
        let Served { method, status, took, .. } = request;
        let elapsed_ms = took.as_millis();
        let came = if status.is_some() { "answered" } else { "given up" };
        if is_probe(path) {
            tracing::debug!(method, path, status, elapsed_ms, "{came}");
        } else {
            let path = path.escape_debug();
            tracing::info!(%method, %path, status, elapsed_ms, "{came}");
            metrics.served(&request);
        }
    }
}

/// Masks credentials and cuts the text to [`LONGEST`] characters. In this order, because a part of a
/// credential is not recognised.
fn short(text: &str) -> String {
    telemetry::mask(text).chars().take(LONGEST).collect()
}

/// Whether a client's request ID is used: 1 to 128 characters that UUIDs, trace IDs and Base64
/// consist of, and no credential.
fn is_request_id(id: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:=+/@".contains(&byte);
    (1..=128).contains(&id.len())
        && id.bytes().all(is_safe)
        && matches!(telemetry::mask(id), Cow::Borrowed(_))
}

fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_usual_request_ids_and_rejects_credentials_and_markup() {
        for id in [
            "4f0e6a4e-6a3c-4a53-9b0c-3f6e2d6a1b77",
            "Root=1-67891233-abcdef012345678912345678",
            "aGVsbG8+/w==",
            "proxy:1@a.b_c",
        ] {
            assert!(is_request_id(id), "{id}");
        }
        let long = "x".repeat(129);
        for id in
            ["", &long, "a b", "<script>", "\"quoted\"", "x-API-ABCDEFGHIJKLMNOPQRSTUVWXY01", "ä"]
        {
            assert!(!is_request_id(id), "{id}");
        }
    }

    #[test]
    fn a_credential_at_the_limit_is_masked_before_the_cut() {
        let path = format!("{}/API-ABCDEFGHIJKLMNOPQRSTUVWXY01", "x".repeat(LONGEST - 12));
        assert!(!short(&path).contains("API-"), "{}", short(&path));
    }
}

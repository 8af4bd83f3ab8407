//! An ID and a span for each request, one line about it when it ends, and its place in the metrics.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, Version};
use tracing::Instrument;
use uuid::Uuid;

use super::Gate;
use crate::telemetry::{self, Metrics, Served};

/// The header that carries the ID of a request, in and out.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

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
        .filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()))
        .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    if let Ok(id) = HeaderValue::from_str(&id) {
        request.headers_mut().insert(REQUEST_ID, id);
    }
    let method = request.method().clone();
    // The path alone: a query may hold a credential.
    let path: String = request.uri().path().chars().take(100).collect();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let version = if request.version() == Version::HTTP_2 { "2" } else { "1.1" };
    let name = route.as_ref().map_or("", MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{method} {name}"),
        otel.kind = "server",
        http.request.method = %method,
        http.route = name,
        http.response.status_code = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
        id,
        trace = tracing::field::Empty,
    );
    telemetry::continued(&span, request.headers());
    if let Some(trace) = telemetry::trace_of(&span) {
        span.record("trace", trace);
    }
    request.extensions_mut().insert(telemetry::Around::of(&span));
    let outer = span.clone();
    async move {
        let started = Instant::now();
        let open = Serving::begin(&gate.metrics);
        let mut response = next.run(request).await;
        drop(open);
        let status = response.status().as_u16();
        outer.record("http.response.status_code", status);
        if status >= 500 {
            outer.record("otel.status_code", "ERROR");
        }
        let took = started.elapsed();
        let elapsed_ms = took.as_millis();
        if is_probe(&path) {
            tracing::debug!(%method, path, status, elapsed_ms, "answered");
        } else {
            tracing::info!(%method, path = %path.escape_debug(), status, elapsed_ms, "answered");
            let (method, route) = (method.as_str(), route.as_ref().map(MatchedPath::as_str));
            gate.metrics.served(&Served { method, route, status, version, took });
        }
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
    .await
}

/// A request that is being answered, or given up.
struct Serving<'a>(&'a Metrics);

impl<'a> Serving<'a> {
    fn begin(metrics: &'a Metrics) -> Self {
        metrics.serving(1);
        Self(metrics)
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.serving(-1);
    }
}

fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

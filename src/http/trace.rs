//! An ID and a span for each request, and one line about it when it ends.

use std::time::Instant;

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderName, HeaderValue};
use tracing::Instrument;
use uuid::Uuid;

/// The header that carries the ID of a request, in and out.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an ID, or keeps the one that a proxy gave it.
pub(super) async fn trace(mut request: Request, next: Next) -> Response {
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
    let span = tracing::info_span!("request", id);
    async move {
        let started = Instant::now();
        let mut response = next.run(request).await;
        let status = response.status().as_u16();
        let elapsed_ms = started.elapsed().as_millis();
        if is_probe(&path) {
            tracing::debug!(%method, path, status, elapsed_ms, "answered");
        } else {
            tracing::info!(%method, path = %path.escape_debug(), status, elapsed_ms, "answered");
        }
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
    .await
}

fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

//! Layer 1: adds peer, request ID and span to every request, and the request ID to every response.
//! Writes the log line and the metrics of the request, and converts panics to responses.

use std::{any::Any, borrow::Cow, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header::CONNECTION};
use tracing::{Instrument, Span, field::Empty};
use uuid::Uuid;

use super::authentication::credential_headers;
use crate::{
    config,
    http::{
        peer::Peer,
        rejection::{Rejection, RejectionReason, code},
        server::Readiness,
    },
    telemetry::{self, HttpRequestMetrics, Metrics, OTHER, printable},
};

/// The header with the ID of a request, in requests and responses.
pub(in crate::http) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Maximum length of a path or a method in logs and spans, in characters.
const MAX_CHARS: usize = 100;

/// Settings, metrics and readiness that this layer uses.
#[derive(Debug)]
pub(in crate::http) struct TraceState {
    pub(in crate::http) http: config::HttpSettings,
    pub(in crate::http) metrics: Metrics,
    pub(in crate::http) readiness: Readiness,
}

/// Traces a request and catches its panics.
///
/// - Needs: `ConnectInfo`, from the connection; `MatchedPath`, from the router.
/// - Adds: [`Peer`] and [`telemetry::RequestSpan`]; the header [`REQUEST_ID`].
/// - Rejects with: 500 (panic).
///
/// The span continues the trace in the request headers. A valid request ID of a client or proxy is
/// kept. During shutdown, the layer closes the connection of each response.
pub(in crate::http) async fn trace(
    State(state): State<Arc<TraceState>>,
    mut request: Request,
    next: Next,
) -> Response {
    mark_credentials_sensitive(request.headers_mut());
    let peer = Peer::of_request(request.extensions(), request.headers(), &state.http);
    let scheme = peer.scheme(&state.http);
    request.extensions_mut().insert(peer);
    let closes = request.version() < Version::HTTP_2;
    let mut response = observe(&state.metrics, scheme, request, next).await;
    if closes && !state.readiness.is_ready() {
        close_connection(&mut response);
    }
    response
}

/// Excludes credentials from debug output of the request.
fn mark_credentials_sensitive(headers: &mut HeaderMap) {
    for name in credential_headers() {
        if let http::header::Entry::Occupied(mut values) = headers.entry(name) {
            values.iter_mut().for_each(|value| value.set_sensitive(true));
        }
    }
}

/// Closes the connection after this response, so that the next request goes to another replica.
/// HTTP/2 uses a GOAWAY frame instead, which the listener sends at shutdown.
fn close_connection(response: &mut Response) {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}

/// Runs the inner layers, and converts a panic to a response with 500.
async fn catch_panic(request: Request, next: Next) -> Response {
    let served = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    served.unwrap_or_else(|_: Box<dyn Any + Send>| {
        tracing::error!("request panicked");
        let message = "the server failed to answer this request; please report this";
        Rejection::new(StatusCode::INTERNAL_SERVER_ERROR, message)
            .with_code(code::INTERNAL)
            .into_response()
    })
}

/// Runs the inner layers in the span of the request. Sets the request ID header of request and
/// response.
async fn observe(
    metrics: &Metrics,
    scheme: &'static str,
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
    // Excludes the query, which may contain a credential.
    let path = short(request.uri().path());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let version = if request.version() == Version::HTTP_2 { "2" } else { "1.1" };
    let span = span(&method, route.as_ref().map(MatchedPath::as_str), &id);
    telemetry::set_attribute(&span, "url.path", path.as_str());
    telemetry::set_attribute(&span, "url.scheme", scheme);
    telemetry::continue_trace(&span, request.headers());
    if let Some(trace) = telemetry::trace_id(&span) {
        span.record("trace", trace);
    }
    request.extensions_mut().insert(telemetry::RequestSpan::new(&span));
    let outer = span.clone();
    async move {
        let mut serving = Serving::begin(
            metrics,
            &outer,
            &path,
            HttpRequestMetrics {
                method: method.as_str(),
                scheme,
                route: route.as_ref().map(MatchedPath::as_str),
                status: None,
                version,
                duration: std::time::Duration::ZERO,
            },
        );
        let mut response = catch_panic(request, next).await;
        serving.request.status = Some(response.status().as_u16());
        serving.rejection = response.extensions().get::<RejectionReason>().cloned();
        drop(serving);
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
    .await
}

/// Creates the span of a request. Its name contains no client-supplied text (OpenTelemetry,
/// semantic conventions for HTTP spans, "Name").
fn span(method: &Method, route: Option<&str>, id: &str) -> Span {
    let verb = telemetry::http_method_label(method.as_str());
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
        telemetry::set_attribute(&span, "http.request.method_original", short(method.as_str()));
    }
    span
}

/// A request in progress. Dropping it writes the log line and the metrics, so cancelled requests
/// are included.
struct Serving<'a> {
    metrics: &'a Metrics,
    span: &'a Span,
    path: &'a str,
    request: HttpRequestMetrics<'a>,
    /// Reason of a rejection. A call over a rate limit is rejected with status 200.
    rejection: Option<RejectionReason>,
    started: Instant,
}

impl<'a> Serving<'a> {
    fn begin(
        metrics: &'a Metrics,
        span: &'a Span,
        path: &'a str,
        request: HttpRequestMetrics<'a>,
    ) -> Self {
        metrics.add_active_requests(1, request.method, request.scheme);
        Self { metrics, span, path, request, rejection: None, started: Instant::now() }
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        let Self { metrics, span, path, mut request, ref rejection, started } = *self;
        request.duration = started.elapsed();
        metrics.add_active_requests(-1, request.method, request.scheme);
        if let Some(status) = request.status {
            span.record("http.response.status_code", status);
        }
        if let Some(error) = request.error_type() {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", error);
        }
        let HttpRequestMetrics { method, status, duration, .. } = request;
        let elapsed_ms = duration.as_millis();
        let ended = if status.is_some() { "request completed" } else { "request cancelled" };
        if is_probe(path) {
            tracing::debug!(method, path, status, elapsed_ms, "{ended}");
        } else {
            let rejected = rejection.as_ref().map(|reason| printable(&reason.message));
            let limit = rejection.as_ref().and_then(|reason| reason.limit).map(<&str>::from);
            tracing::info!(
                method,
                path = %printable(path),
                status,
                elapsed_ms,
                limit,
                rejected = rejected.as_deref(),
                "{ended}"
            );
            metrics.record_http_request(&request);
        }
    }
}

/// Masks credentials, then truncates the text to [`MAX_CHARS`] characters. A truncated credential
/// would not be detected.
fn short(text: &str) -> String {
    telemetry::mask(text).chars().take(MAX_CHARS).collect()
}

/// Returns whether a client's request ID is used: 1 to 128 characters of UUIDs, trace IDs and
/// Base64, and no credential.
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
    fn accepts_common_request_ids_and_rejects_credentials() {
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
    fn masks_credentials_before_truncation() {
        let path = format!("{}/API-ABCDEFGHIJKLMNOPQRSTUVWXY01", "x".repeat(MAX_CHARS - 12));
        assert!(!short(&path).contains("API-"), "{}", short(&path));
    }
}

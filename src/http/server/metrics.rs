//! `/metrics` of the admin listener.

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};

use crate::telemetry::Metrics;

/// Media type of the Prometheus text format, version 0.0.4.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Returns the route `/metrics`.
pub(in crate::http) fn router(metrics: Metrics) -> Router {
    Router::new().route("/metrics", get(metrics_text)).with_state(metrics)
}

async fn metrics_text(State(metrics): State<Metrics>) -> Response {
    match metrics.prometheus_text() {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT)], text).into_response(),
        Err(error) => {
            tracing::error!(error, "metrics not available");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

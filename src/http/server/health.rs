//! Health probes.
//!
//! Probes never send requests to Octopus, because an unavailable instance must not stop the server
//! for all instances.

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::StatusCode;
use tokio_util::sync::CancellationToken;

/// Readiness of the server: ready from its start until [`Readiness::stop`]. Clones share the
/// state.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    stopping: CancellationToken,
    streams: CancellationToken,
}

impl Readiness {
    /// Fails the readiness probe. The server continues to serve requests.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Ends event streams without a running request, so that their clients reconnect to another
    /// replica.
    pub fn end_streams(&self) {
        self.streams.cancel();
    }

    pub(in crate::http) fn is_ready(&self) -> bool {
        !self.stopping.is_cancelled()
    }

    /// Completes after [`Readiness::end_streams`].
    pub(in crate::http) fn streams_ended(&self) -> impl Future<Output = ()> + Send + 'static {
        self.streams.clone().cancelled_owned()
    }
}

/// Returns the routes `/healthz` and `/readyz`.
pub(in crate::http) fn router(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(readiness)
}

async fn ready(State(readiness): State<Readiness>) -> impl IntoResponse {
    if readiness.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    }
}

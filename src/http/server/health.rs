//! Whether the process runs, and whether it takes requests. Neither ever asks Octopus: one
//! instance that is down must not take the server down for all.

use axum::{
    Router,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, Version, header::CONNECTION};
use tokio_util::sync::CancellationToken;

/// Whether the server takes requests. It does from its start until it is told to stop.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    stopping: CancellationToken,
    leaving: CancellationToken,
}

impl Readiness {
    /// From now on, the server says that it stops, and goes on serving.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// From now on, whoever only listens is told to go.
    pub fn leave(&self) {
        self.leaving.cancel();
    }

    pub(in crate::http) fn is_ready(&self) -> bool {
        !self.stopping.is_cancelled()
    }

    /// Ends when those who only listen have to go.
    pub(in crate::http) fn left(&self) -> impl Future<Output = ()> + Send + 'static {
        self.leaving.clone().cancelled_owned()
    }
}

/// While the server stops, each answer ends its connection, so that the next request goes to
/// another replica. HTTP/2 has a frame for that, which is sent once no more connections are taken.
pub(in crate::http) async fn send_on(
    State(readiness): State<Readiness>,
    request: Request,
    next: Next,
) -> Response {
    let has_header = request.version() < Version::HTTP_2;
    let mut response = next.run(request).await;
    if has_header && !readiness.is_ready() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

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

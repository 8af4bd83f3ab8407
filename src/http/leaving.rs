//! Streams that only listen end when the server stops, so that their clients listen elsewhere.

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use futures::StreamExt;

use super::Readiness;

pub(super) async fn end(
    State(readiness): State<Readiness>,
    request: Request,
    next: Next,
) -> Response {
    let left = Box::pin(readiness.left());
    next.run(request).await.map(|body| Body::from_stream(body.into_data_stream().take_until(left)))
}

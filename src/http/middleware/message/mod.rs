//! Layer 5: checks the JSON-RPC message, host, origin and media types of a POST request.

mod guard;
mod media;

pub(in crate::http) use guard::guard;
pub(super) use media::AcceptsEvents;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;

use crate::http::{
    envelope::Envelope,
    public_address::PublicAddresses,
    rejection::{Rejection, code},
};

/// Parses the JSON-RPC envelope, then checks `Host`, `Origin`, the query and the media types.
///
/// - Needs: a complete body, which [`admit`](super::admission::admit) reads.
/// - Adds: `Arc<Envelope>` and [`AcceptsEvents`].
/// - Rejects with: 400 (not JSON-RPC, `Host`, credential in the URL), 403 (host, origin), 415 and
///   406 (media types).
///
/// The envelope is parsed first, so that every later rejection contains the request ID.
pub(in crate::http) async fn check_message(
    State(addresses): State<Arc<PublicAddresses>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        let message = "the request body could not be read";
        return Rejection::bad_request(code::INVALID_REQUEST, message).into_response();
    };
    let bytes = body.to_bytes();
    let envelope = match Envelope::parse(&bytes) {
        Ok(envelope) => Arc::new(envelope),
        Err(rejected) => {
            let (id, rejection) = *rejected;
            return rejection.to(&id);
        }
    };
    parts.extensions.insert(Arc::clone(&envelope));
    let checked = guard::check(&addresses, &parts).and_then(|()| media::negotiate(&mut parts));
    match checked {
        Ok(()) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(rejection) => rejection.to(&envelope.id),
    }
}

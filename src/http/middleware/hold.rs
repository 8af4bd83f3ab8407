//! Keeps a resource until a response has been sent.

use axum::{body::Body, response::Response};
use http_body::Body as _;
use http_body_util::BodyExt;

/// Keeps `resource`, such as a permit, until the response body has been sent. If the body is
/// already complete, the resource is released at once.
pub(super) fn hold_until_sent(response: Response, resource: impl Send + 'static) -> Response {
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &resource;
            frame
        }))
    })
}

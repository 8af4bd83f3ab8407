//! Converts plain-text errors of rmcp's transport to JSON-RPC errors.

use std::time::Duration;

use axum::response::Response;
use http::{
    StatusCode,
    header::{ALLOW, CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::{BodyExt, Collected, Limited};
use serde_json::Value;

use crate::http::rejection::{Rejection, code};

/// Maximum size of an error text, in bytes.
const TEXT_LIMIT: usize = 4 * 1024;
const TEXT_TIME: Duration = Duration::from_secs(5);

/// Replaces the body of an error response that is not JSON by a JSON-RPC error with the original
/// text as the message and the request ID.
pub(super) async fn make_json_rpc(response: Response, id: &Value) -> Response {
    let status = response.status();
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !(status.is_client_error() || status.is_server_error()) || is_json {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = tokio::time::timeout(TEXT_TIME, Limited::new(body, TEXT_LIMIT).collect()).await;
    let text = text.ok().and_then(Result::ok).map(Collected::to_bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let message = match text.trim() {
        "" => status.canonical_reason().unwrap_or("rejected").to_owned(),
        text => text.to_owned(),
    };
    let code = match status {
        StatusCode::BAD_REQUEST => code::INVALID_REQUEST,
        status if status.is_server_error() => code::INTERNAL,
        _ => code::REJECTED,
    };
    let mut rejection = Rejection::new(status, message).with_code(code);
    for name in [ALLOW, RETRY_AFTER] {
        if let Some(value) = parts.headers.get(&name) {
            rejection = rejection.with_header(name, value.clone());
        }
    }
    rejection.to(id)
}

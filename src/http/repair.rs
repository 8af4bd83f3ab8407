//! Errors of the transport below that are plain text become JSON-RPC errors.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{
    StatusCode,
    header::{ALLOW, CONTENT_TYPE, RETRY_AFTER},
};

use super::{
    envelope::{self, Envelope},
    refusal::{Refusal, code},
    request_memory::Reading,
};

/// How much of the text of an error is kept, and how long it may take to come.
const TEXT_LIMIT: usize = 4 * 1024;
const TEXT_TIME: std::time::Duration = std::time::Duration::from_secs(5);

/// Gives an error without a JSON body one, with the ID of the request.
pub(super) async fn repair(request: Request, next: Next) -> Response {
    let id = Envelope::id_of(&request);
    let response = next.run(request).await;
    let status = response.status();
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !(status.is_client_error() || status.is_server_error()) || is_json {
        return response;
    }
    let (parts, body) = response.into_parts();
    let mut memory = Reading::uncounted();
    let text = envelope::read(body, None, TEXT_LIMIT, TEXT_TIME, &mut memory).await;
    let text = text.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let message = match text.trim() {
        "" => status.canonical_reason().unwrap_or("refused").to_owned(),
        text => text.to_owned(),
    };
    let code = match status {
        StatusCode::BAD_REQUEST => code::INVALID_REQUEST,
        status if status.is_server_error() => code::INTERNAL,
        _ => code::REFUSED,
    };
    let mut refusal = Refusal::new(status, message).with_code(code);
    for name in [ALLOW, RETRY_AFTER] {
        if let Some(value) = parts.headers.get(&name) {
            refusal = refusal.with_header(name, value.clone());
        }
    }
    refusal.to(&id)
}

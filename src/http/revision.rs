//! Headers that name the revision and the message: what rmcp lets pass and should not.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, HeaderName, header::HeaderValue};
use serde_json::json;

use super::{
    envelope::Envelope,
    refusal::{Refusal, code},
};
use crate::mcp::SUPPORTED;

const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// Headers that a request has once, or whose values are all the same.
static ONCE: [HeaderName; 3] =
    [VERSION, HeaderName::from_static("mcp-method"), HeaderName::from_static("mcp-name")];

/// Refuses contradicting headers and revisions that are not spoken.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let twice = ONCE.iter().find(|name| contradicts(headers, name));
    if let Some(name) = twice {
        let message = format!("the header {name} is there twice, with different values");
        let refusal = Refusal::bad_request(code::HEADER_MISMATCH, message);
        return refusal.to(&Envelope::id_of(&request));
    }
    let greets = request
        .extensions()
        .get::<Envelope>()
        .is_some_and(|envelope| envelope.method.as_deref() == Some("initialize"));
    // `initialize` may propose any version; what it is answered is one of ours.
    if !greets && let Some(unknown) = headers.get(VERSION).filter(|version| !is_spoken(version)) {
        let requested =
            String::from_utf8_lossy(unknown.as_bytes()).chars().take(40).collect::<String>();
        let refusal = Refusal::bad_request(
            code::UNSUPPORTED_VERSION,
            "this revision of the protocol is not spoken here",
        )
        .with_data(json!({ "supported": SUPPORTED, "requested": requested }));
        return refusal.to(&Envelope::id_of(&request));
    }
    next.run(request).await
}

fn contradicts(headers: &HeaderMap, name: &HeaderName) -> bool {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    values.any(|other| Some(other) != first)
}

fn is_spoken(version: &HeaderValue) -> bool {
    SUPPORTED.iter().any(|spoken| spoken.as_str().as_bytes() == version.as_bytes())
}

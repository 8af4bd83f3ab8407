//! Checks the headers that contain the protocol revision, the method and the tool name.
//!
//! These checks are needed because rmcp accepts contradicting headers and unknown revisions.

use http::{HeaderMap, HeaderName, header::HeaderValue};
use serde_json::json;

use crate::{
    http::{
        envelope::Envelope,
        rejection::{Rejection, code},
    },
    mcp::SUPPORTED,
};

const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// Headers that can be repeated only with the same value.
static UNIQUE: [HeaderName; 3] =
    [VERSION, HeaderName::from_static("mcp-method"), HeaderName::from_static("mcp-name")];

/// Returns whether a request uses the revision without handshake and sessions, or a later one.
pub(super) fn is_stateless(headers: &HeaderMap) -> bool {
    // Revisions are dates, which compare as text.
    let version = headers.get(VERSION);
    version.is_some_and(|version| version.as_bytes() >= b"2026-07-28".as_slice())
}

/// Checks the protocol headers of a message.
///
/// # Errors
///
/// Returns 400 for repeated headers with different values, and for an unsupported revision.
pub(super) fn check(headers: &HeaderMap, envelope: &Envelope) -> Result<(), Rejection> {
    if let Some(name) = UNIQUE.iter().find(|name| contradicts(headers, name)) {
        let message = format!("the header {name} is repeated with different values");
        return Err(Rejection::bad_request(code::HEADER_MISMATCH, message));
    }
    // `initialize` may propose any version; the response names a supported one.
    let unknown = headers.get(VERSION).filter(|version| !is_supported(version));
    let Some(unknown) = unknown.filter(|_| !envelope.initializes()) else { return Ok(()) };
    let requested: String = String::from_utf8_lossy(unknown.as_bytes()).chars().take(40).collect();
    let message = "this protocol revision is not supported";
    let data = json!({ "supported": SUPPORTED, "requested": requested });
    Err(Rejection::bad_request(code::UNSUPPORTED_VERSION, message).with_data(data))
}

fn contradicts(headers: &HeaderMap, name: &HeaderName) -> bool {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    values.any(|other| Some(other) != first)
}

fn is_supported(version: &HeaderValue) -> bool {
    SUPPORTED.iter().any(|supported| supported.as_str().as_bytes() == version.as_bytes())
}

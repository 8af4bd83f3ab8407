//! Creates errors from responses that are unsuccessful or not JSON, with Octopus's message.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use super::error::Error;

/// Maximum length of a message in bytes.
const MAX_BYTES: usize = 2000;

/// Fields of an error body that contain the message: those of the API, and those of a token
/// endpoint. `FullException` is never read.
const MESSAGE_FIELDS: [&str; 5] =
    ["ErrorMessage", "Errors", "HelpText", "error", "error_description"];

impl Error {
    /// Creates the error for a response that is not JSON, such as an HTML page.
    pub(in crate::octopus) fn not_json(route: &str, content_type: &str) -> Self {
        let reason = format!(
            "{route} returned '{content_type}' instead of JSON; check that the URL is the one of \
             Octopus and that no sign-in page of a proxy is in front of it"
        );
        Self::UnexpectedResponse { reason }
    }

    /// Creates the error for a failed request. Octopus does not name the missing resource in a 404:
    /// the client replaces the message with the path, and callers with more context replace both.
    pub(in crate::octopus) fn from_response(
        status: StatusCode,
        retry_after: Option<Duration>,
        body: &[u8],
    ) -> Self {
        let message = error_message(status, body);
        match status.as_u16() {
            // The sender knows whose credential it is.
            401 => Self::Unauthorized { message, is_configured: false },
            403 => Self::Forbidden { message },
            404 => Self::NotFound {
                noun: "resource",
                query: message,
                location: None,
                suggestions: Vec::new(),
            },
            429 => Self::RateLimited { retry_after },
            status @ 500.. => Self::Unavailable { status, message },
            status => Self::Rejected { status, message },
        }
    }
}

/// Returns the message in the body of an error response, or the reason phrase of its status.
fn error_message(status: StatusCode, body: &[u8]) -> String {
    let read = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let parts =
        MESSAGE_FIELDS.iter().filter_map(|key| read.get(key)).flat_map(|value| match value {
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
            value => Vec::from_iter(value.as_str()),
        });
    let parts: Vec<&str> = parts.filter(|part| !part.trim().is_empty()).collect();
    let mut message = if parts.is_empty() {
        format!("HTTP {}", status.canonical_reason().unwrap_or("error"))
    } else {
        parts.join(" ")
    };
    message.truncate(message.floor_char_boundary(MAX_BYTES));
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Error {
        Error::from_response(StatusCode::from_u16(status).unwrap(), None, body.as_bytes())
    }

    #[test]
    fn status_decides_the_error_variant() {
        let body = r#"{"ErrorMessage":"404 not found, 401, connect timeout"}"#;
        assert!(matches!(read(400, body), Error::Rejected { status: 400, .. }));
        assert!(matches!(read(401, body), Error::Unauthorized { .. }));
        assert!(matches!(read(403, body), Error::Forbidden { .. }));
        assert!(matches!(read(404, body), Error::NotFound { .. }));
        assert!(matches!(read(409, body), Error::Rejected { status: 409, .. }));
        assert!(matches!(read(429, body), Error::RateLimited { .. }));
        assert!(matches!(read(503, body), Error::Unavailable { status: 503, .. }));
    }

    fn message(body: &str) -> String {
        error_message(StatusCode::BAD_REQUEST, body.as_bytes())
    }

    #[test]
    fn every_error_body_yields_a_message() {
        for (body, expected) in [
            (r#"{"ErrorMessage":"No.","Errors":["a","b"],"FullException":"at X"}"#, "No. a b"),
            (r#"{"Errors":["only"]}"#, "only"),
            (r#"{"ErrorMessage":null,"Errors":null}"#, "HTTP Bad Request"),
            (r#"{"ErrorMessage":"No.","Errors":{"a":1}}"#, "No."),
            (r#"{"error":"invalid_request","error_description":"Why."}"#, "invalid_request Why."),
            (r#"{"error":{"code":1}}"#, "HTTP Bad Request"),
            ("<html>", "HTTP Bad Request"),
            ("[1]", "HTTP Bad Request"),
            ("", "HTTP Bad Request"),
        ] {
            assert_eq!(message(body), expected, "{body}");
        }
    }

    #[test]
    fn truncates_long_messages_at_character_boundary() {
        let body = format!(r#"{{"ErrorMessage":"{}"}}"#, "é".repeat(MAX_BYTES));
        assert!(message(&body).len() <= MAX_BYTES);
    }
}

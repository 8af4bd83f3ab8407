//! Extracts Octopus's message from an error response.

use http::StatusCode;
use serde_json::Value;

/// Maximum length of a message in bytes.
const MAX_BYTES: usize = 2000;

/// Fields of an error body that contain the message: those of the API, and those of a token
/// endpoint. `FullException` is never read.
const MESSAGE_FIELDS: [&str; 5] =
    ["ErrorMessage", "Errors", "HelpText", "error", "error_description"];

/// Returns the message in the body of an error response, or the reason phrase of its status.
pub(in crate::octopus) fn error_message(status: StatusCode, body: &[u8]) -> String {
    let read = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let parts =
        MESSAGE_FIELDS.iter().filter_map(|key| read.get(key)).flat_map(|value| match value {
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
            value => Vec::from_iter(value.as_str()),
        });
    let parts: Vec<&str> = parts.filter(|part| !part.trim().is_empty()).collect();
    let mut words = if parts.is_empty() {
        format!("HTTP {}", status.canonical_reason().unwrap_or("error"))
    } else {
        parts.join(" ")
    };
    words.truncate(words.floor_char_boundary(MAX_BYTES));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> String {
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
            assert_eq!(read(body), expected, "{body}");
        }
    }

    #[test]
    fn truncates_long_messages_at_character_boundary() {
        let body = format!(r#"{{"ErrorMessage":"{}"}}"#, "é".repeat(MAX_BYTES));
        assert!(read(&body).len() <= MAX_BYTES);
    }
}

//! Creates errors from responses that are unsuccessful or not JSON.

use std::time::Duration;

use http::StatusCode;

use super::{error::Error, error_message::error_message};

impl Error {
    /// Creates the error for a response that is not JSON, such as an HTML page.
    pub(in crate::octopus) fn not_json(route: &str, content_type: &str) -> Self {
        let reason = format!(
            "{route} returned '{content_type}' instead of JSON; check that the URL is the one of \
             Octopus and that no sign-in page is in front of it"
        );
        Self::UnexpectedResponse { reason }
    }

    /// Creates the error for a failed request. Octopus does not name the missing resource in a 404:
    /// the client replaces the message with the path, and callers that know more replace both.
    pub(in crate::octopus) fn from_response(
        status: StatusCode,
        retry_after: Option<Duration>,
        body: &[u8],
    ) -> Self {
        let message = error_message(status, body);
        match status.as_u16() {
            401 => Self::Unauthorized { message },
            403 => Self::Forbidden { message },
            404 => {
                Self::NotFound { noun: "resource", wanted: message, place: None, near: Vec::new() }
            }
            429 => Self::RateLimited { retry_after },
            status @ 500.. => Self::Unavailable { status, message },
            status => Self::Rejected { status, message },
        }
    }
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
}

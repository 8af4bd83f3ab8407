//! The errors for responses that are unsuccessful or not JSON.

use std::time::Duration;

use http::StatusCode;

use super::{Error, words::words};

impl Error {
    /// That a page for browsers, or something else that is no JSON, came where JSON belongs.
    pub(super) fn page(route: &str, content_type: &str) -> Self {
        let reason = format!(
            "{route} sent '{content_type}' where that does not belong; is the URL that of Octopus, \
             and is no sign-in page before it?"
        );
        Self::Unexpected { reason }
    }

    /// Reads the answer to a request that failed. A 404 does not name what was looked for: the client
    /// puts the path in place of Octopus's words, and functions that know more replace that.
    pub(super) fn from_answer(
        status: StatusCode,
        retry_after: Option<Duration>,
        body: &[u8],
    ) -> Self {
        let message = words(status, body);
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
        Error::from_answer(StatusCode::from_u16(status).unwrap(), None, body.as_bytes())
    }

    #[test]
    fn the_status_decides_whatever_the_words_say() {
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

//! Responses that reject a request: an HTTP status, headers, and a JSON-RPC error as the body.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ALLOW, CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::{Value, json};

use crate::telemetry::Limit;

/// JSON-RPC and MCP error codes (MCP 2026-07-28, "Error codes").
pub(in crate::http) mod code {
    pub(in crate::http) const PARSE: i64 = -32700;
    pub(in crate::http) const INVALID_REQUEST: i64 = -32600;
    pub(in crate::http) const INVALID_PARAMS: i64 = -32602;
    pub(in crate::http) const INTERNAL: i64 = -32603;
    pub(in crate::http) const HEADER_MISMATCH: i64 = -32020;
    pub(in crate::http) const UNSUPPORTED_VERSION: i64 = -32022;
    /// Implementation-defined: the HTTP request itself was rejected.
    pub(in crate::http) const REJECTED: i64 = -32000;
    /// Implementation-defined: a rate limit was exceeded.
    pub(in crate::http) const RATE_LIMITED: i64 = -32005;
}

/// A rejected request: status, JSON-RPC error, headers.
#[derive(Debug)]
pub(in crate::http) struct Rejection {
    status: StatusCode,
    code: i64,
    message: String,
    data: Option<Box<Value>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    limit: Option<Limit>,
    is_unauthenticated: bool,
}

/// Reason of a rejection. [`Rejection`] inserts it into the response extensions.
#[derive(Debug, Clone)]
pub(in crate::http) struct RejectionReason {
    pub(in crate::http) message: Arc<str>,
    /// The exceeded limit, if the rejection is due to a limit.
    pub(in crate::http) limit: Option<Limit>,
    /// `true` if authentication failed.
    pub(in crate::http) is_unauthenticated: bool,
}

impl Rejection {
    pub(in crate::http) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code::REJECTED,
            message: message.into(),
            data: None,
            headers: Vec::new(),
            limit: None,
            is_unauthenticated: false,
        }
    }

    /// Rejects a path that is not served.
    pub(in crate::http) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "nothing is served here; the MCP endpoint is /mcp")
    }

    /// Rejects a request with a disallowed host, if the response would contain the address of this
    /// server.
    pub(in crate::http) fn unknown_host() -> Self {
        let message = "this server does not serve that host; its operator can set http.public_url, \
                       or add the host to http.allowed_hosts";
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(in crate::http) fn bad_request(code: i64, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message).with_code(code)
    }

    /// Creates a rejection with the time until a retry, in whole seconds, in the header
    /// `Retry-After` and in the error data.
    pub(in crate::http) fn rate_limited(
        status: StatusCode,
        wait: Duration,
        message: impl Into<String>,
    ) -> Self {
        let wait = retry_after(wait);
        Self::new(status, message)
            .with_code(code::RATE_LIMITED)
            .with_data(json!({ "retryAfter": wait }))
            .with_header(RETRY_AFTER, wait.into())
    }

    pub(in crate::http) fn with_code(self, code: i64) -> Self {
        Self { code, ..self }
    }

    pub(in crate::http) fn with_data(self, data: Value) -> Self {
        Self { data: Some(Box::new(data)), ..self }
    }

    pub(in crate::http) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Marks the limit that was exceeded, for the metrics.
    pub(in crate::http) fn limited_by(self, limit: Limit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Marks a request whose authentication failed, for the metrics.
    pub(in crate::http) fn unauthenticated(self) -> Self {
        Self { is_unauthenticated: true, ..self }
    }

    pub(in crate::http) fn allowing_post(self) -> Self {
        self.with_header(ALLOW, HeaderValue::from_static("POST"))
    }

    pub(in crate::http) fn status(&self) -> StatusCode {
        self.status
    }

    /// Builds the response to the request with this JSON-RPC ID. `id` is `null` if the request has
    /// no readable ID.
    pub(in crate::http) fn to(self, id: &Value) -> Response {
        let reason = RejectionReason {
            message: self.message.as_str().into(),
            limit: self.limit,
            is_unauthenticated: self.is_unauthenticated,
        };
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(data), Value::Object(error)) = (self.data, &mut error) {
            error.insert("data".to_owned(), *data);
        }
        let body = json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string();
        let content_type = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let headers: HeaderMap = self.headers.into_iter().collect();
        (self.status, content_type, headers, Extension(reason), body).into_response()
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.to(&Value::Null)
    }
}

/// Returns the seconds after which a client may retry, rounded up (minimum 1).
fn retry_after(wait: Duration) -> u64 {
    whole_seconds(wait).max(1)
}

/// Rounds up to whole seconds.
pub(in crate::http) fn whole_seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}

/// Returns the end of a message with the retry time: `in 1 second`, `in 5 seconds`.
pub(in crate::http) fn in_seconds(wait: Duration) -> String {
    match retry_after(wait) {
        1 => "in 1 second".to_owned(),
        seconds => format!("in {seconds} seconds"),
    }
}

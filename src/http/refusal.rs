//! Refusing a request: a status, and a JSON-RPC error as the body.

use axum::{
    Extension,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ALLOW, CONTENT_TYPE},
};
use serde_json::{Value, json};

use super::recorded::Refused;
use crate::telemetry::Limit;

/// JSON-RPC and MCP codes of errors (MCP 2026-07-28, "Error codes").
pub(super) mod code {
    pub(in crate::http) const PARSE: i64 = -32700;
    pub(in crate::http) const INVALID_REQUEST: i64 = -32600;
    pub(in crate::http) const INVALID_PARAMS: i64 = -32602;
    pub(in crate::http) const INTERNAL: i64 = -32603;
    pub(in crate::http) const HEADER_MISMATCH: i64 = -32020;
    pub(in crate::http) const UNSUPPORTED_VERSION: i64 = -32022;
    /// Of the range that is left to implementations: the request itself is refused.
    pub(in crate::http) const REFUSED: i64 = -32000;
    /// Of the same range: the caller has to wait.
    pub(in crate::http) const RATE_LIMITED: i64 = -32005;
}

/// A request that is not served, and why.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: i64,
    message: String,
    data: Option<Box<Value>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    limit: Option<Limit>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, code: code::REFUSED, message, data: None, headers: Vec::new(), limit: None }
    }

    pub(super) fn bad_request(code: i64, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message).with_code(code)
    }

    pub(super) fn with_code(mut self, code: i64) -> Self {
        self.code = code;
        self
    }

    pub(super) fn with_data(mut self, data: Value) -> Self {
        self.data = Some(Box::new(data));
        self
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The caller has to wait, because of this limit.
    pub(super) fn limited(self, limit: Limit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Its status.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn allowing_post(self) -> Self {
        self.with_header(ALLOW, HeaderValue::from_static("POST"))
    }

    /// The answer to the request with this ID; `null` where it has none or none could be read.
    pub(super) fn to(self, id: &Value) -> Response {
        let refused = Refused { why: self.message.as_str().into(), limit: self.limit };
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(data), Value::Object(error)) = (self.data, &mut error) {
            error.insert("data".to_owned(), *data);
        }
        let body = json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string();
        let content_type = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let headers: HeaderMap = self.headers.into_iter().collect();
        (self.status, content_type, headers, Extension(refused), body).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.to(&Value::Null)
    }
}

/// The answer where a bug ended the request. What it was is in the log alone.
pub(super) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request ended in a panic");
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the server failed while it answered; please report this",
    )
    .with_code(code::INTERNAL)
    .into_response()
}

//! Responses and errors, in the format of Octopus Server.

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

/// Result of a route.
pub(super) type ApiResult = Result<ApiResponse, ApiError>;

/// A response.
pub(super) struct ApiResponse {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) content: Content,
}

/// Body of a response.
pub(super) enum Content {
    /// A complete body, with `Content-Length`.
    Whole(Bytes),
    /// A streamed body, without `Content-Length`.
    Stream(Body),
}

impl ApiResponse {
    /// Creates a response from JSON text.
    pub(super) fn json(text: impl Into<Bytes>) -> Self {
        Self::complete("application/json; charset=utf-8", text)
    }

    /// Creates a JSON response with status 201.
    pub(super) fn created(value: &Value) -> Self {
        Self { status: StatusCode::CREATED, ..Self::value(value) }
    }

    /// Creates a response from a JSON value.
    pub(super) fn value(value: &Value) -> Self {
        Self::json(value.to_string())
    }

    /// Creates a response of plain text, such as the raw log.
    pub(super) fn text(text: impl Into<Bytes>) -> Self {
        Self::complete("text/plain; charset=utf-8", text)
    }

    /// Creates an HTML response.
    pub(super) fn html(text: &'static str) -> Self {
        Self::complete("text/html; charset=utf-8", text)
    }

    /// Creates a streamed response of plain text.
    pub(super) fn text_stream(body: Body) -> Self {
        let content = Content::Stream(body);
        Self { status: StatusCode::OK, content_type: "text/plain; charset=utf-8", content }
    }

    /// Creates a response in Markdown.
    pub(super) fn markdown(text: Bytes) -> Self {
        Self::complete("text/markdown; charset=utf-8", text)
    }

    /// Creates a response in CSV.
    pub(super) fn csv(text: String) -> Self {
        Self::complete("text/csv; charset=utf-8", text)
    }

    /// Creates a binary response with a content type.
    pub(super) fn binary(content_type: &'static str, bytes: Vec<u8>) -> Self {
        Self::complete(content_type, bytes)
    }

    fn complete(content_type: &'static str, text: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, content_type, content: Content::Whole(text.into()) }
    }
}

/// Error of a route.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ApiError {
    /// The request has no credential.
    NotLoggedIn,
    /// The API key is unknown.
    BadKey,
    /// The user lacks this permission.
    Forbidden(&'static str),
    /// The resource does not exist, or the user cannot see it.
    NotFound(String),
    /// The path does not exist.
    NoRoute,
    /// The path does not support this method.
    NoMethod(String),
    /// A parameter is invalid.
    BadRequest(String),
    /// The body has these validation errors.
    Invalid(Vec<String>),
}

impl From<ApiError> for ApiResponse {
    fn from(error: ApiError) -> Self {
        let (status, body) = match error {
            ApiError::NotLoggedIn => (
                StatusCode::UNAUTHORIZED,
                json!({ "ErrorMessage": "You must be logged in to request this resource. Please \
                    provide a valid API key or log in again." }),
            ),
            ApiError::BadKey => (
                StatusCode::UNAUTHORIZED,
                json!({ "ErrorMessage": "The API key you provided was not valid. Please \
                    double-check your API key and try again. For instructions on finding your API \
                    key, please visit: https://oc.to/ApiKey" }),
            ),
            ApiError::Forbidden(permission) => (
                StatusCode::FORBIDDEN,
                error_body(&format!(
                    "You do not have permission to perform this action. Please contact your \
                     Octopus administrator. Missing permission: {permission}"
                )),
            ),
            ApiError::NotFound(resource) => (
                StatusCode::NOT_FOUND,
                error_body(&format!("The resource '{resource}' was not found.")),
            ),
            ApiError::NoRoute => {
                (StatusCode::NOT_FOUND, error_body("The resource you requested was not found."))
            }
            ApiError::NoMethod(method) => (
                StatusCode::METHOD_NOT_ALLOWED,
                error_body(&format!(
                    "The requested resource does not support http method '{method}'."
                )),
            ),
            ApiError::BadRequest(reason) => (StatusCode::BAD_REQUEST, problem(&[reason])),
            ApiError::Invalid(reasons) => (StatusCode::BAD_REQUEST, problem(&reasons)),
        };
        Self { status, ..Self::value(&body) }
    }
}

fn problem(reasons: &[String]) -> Value {
    json!({
        "ErrorMessage": "There was a problem with your request.",
        "Errors": reasons,
        "ParsedHelpLinks": [],
        "Details": {},
    })
}

fn error_body(message: &str) -> Value {
    json!({ "ErrorMessage": message, "Errors": [], "ParsedHelpLinks": [] })
}

//! Answers and refusals, in the words of Octopus Server.

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

/// What a route comes to.
pub(super) type Answered = Result<Answer, Refusal>;

/// One answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) content: Content,
}

/// The body of an answer.
pub(super) enum Content {
    /// All of it, with a length.
    Whole(Bytes),
    /// Made while it is sent, without a length.
    Stream(Body),
}

impl Answer {
    /// JSON that is already written.
    pub(super) fn json(text: impl Into<Bytes>) -> Self {
        Self::whole("application/json; charset=utf-8", text)
    }

    /// JSON about something that was made.
    pub(super) fn created(value: &Value) -> Self {
        Self { status: StatusCode::CREATED, ..Self::value(value) }
    }

    /// JSON still to be written.
    pub(super) fn value(value: &Value) -> Self {
        Self::json(value.to_string())
    }

    /// Plain text, as the raw log is.
    pub(super) fn text(text: impl Into<Bytes>) -> Self {
        Self::whole("text/plain; charset=utf-8", text)
    }

    /// A page of the web portal.
    pub(super) fn html(text: &'static str) -> Self {
        Self::whole("text/html; charset=utf-8", text)
    }

    /// Plain text that is made while it is sent.
    pub(super) fn text_stream(body: Body) -> Self {
        let content = Content::Stream(body);
        Self { status: StatusCode::OK, content_type: "text/plain; charset=utf-8", content }
    }

    /// A document in Markdown.
    pub(super) fn markdown(text: Bytes) -> Self {
        Self::whole("text/markdown; charset=utf-8", text)
    }

    /// A table.
    pub(super) fn csv(text: String) -> Self {
        Self::whole("text/csv; charset=utf-8", text)
    }

    /// Bytes of a type of their own.
    pub(super) fn binary(content_type: &'static str, bytes: Vec<u8>) -> Self {
        Self::whole(content_type, bytes)
    }

    fn whole(content_type: &'static str, text: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, content_type, content: Content::Whole(text.into()) }
    }
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No credential came with the request.
    NotLoggedIn,
    /// The API key is none of ours.
    BadKey,
    /// The user lacks this permission.
    Forbidden(&'static str),
    /// The resource is unknown or invisible.
    NotFound(String),
    /// There is no such path.
    NoRoute,
    /// The path is there, the method is not.
    NoMethod(String),
    /// A parameter is wrong.
    BadRequest(String),
    /// Several things are wrong with what came.
    Invalid(Vec<String>),
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let (status, body) = match refusal {
            Refusal::NotLoggedIn => (
                StatusCode::UNAUTHORIZED,
                json!({ "ErrorMessage": "You must be logged in to request this resource. Please \
                    provide a valid API key or log in again." }),
            ),
            Refusal::BadKey => (
                StatusCode::UNAUTHORIZED,
                json!({ "ErrorMessage": "The API key you provided was not valid. Please \
                    double-check your API key and try again. For instructions on finding your API \
                    key, please visit: https://oc.to/ApiKey" }),
            ),
            Refusal::Forbidden(permission) => (
                StatusCode::FORBIDDEN,
                error(&format!(
                    "You do not have permission to perform this action. Please contact your \
                     Octopus administrator. Missing permission: {permission}"
                )),
            ),
            Refusal::NotFound(resource) => {
                (StatusCode::NOT_FOUND, error(&format!("The resource '{resource}' was not found.")))
            }
            Refusal::NoRoute => {
                (StatusCode::NOT_FOUND, error("The resource you requested was not found."))
            }
            Refusal::NoMethod(method) => (
                StatusCode::METHOD_NOT_ALLOWED,
                error(&format!("The requested resource does not support http method '{method}'.")),
            ),
            Refusal::BadRequest(reason) => (StatusCode::BAD_REQUEST, problem(&[reason])),
            Refusal::Invalid(reasons) => (StatusCode::BAD_REQUEST, problem(&reasons)),
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

fn error(message: &str) -> Value {
    json!({ "ErrorMessage": message, "Errors": [], "ParsedHelpLinks": [] })
}

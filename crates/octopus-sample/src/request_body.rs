//! Bodies of write requests.

use axum::body::{Body, to_bytes};
use http::Method;
use serde_json::{Map, Value};

use super::response::ApiError;

/// Maximum size of a body in bytes.
const LIMIT: usize = 4 * 1024 * 1024;

/// Body of a request. Keys ignore case.
pub(super) enum RequestBody {
    /// No body.
    Nothing,
    Json(Value),
    /// A body that is not JSON.
    Text(String),
    /// A body that is too large or incomplete.
    Unread,
}

static NOTHING: Value = Value::Null;

impl RequestBody {
    /// Reads the body of a `POST`, `PUT` or `PATCH`.
    pub(super) async fn read(method: &Method, body: Body) -> Self {
        if !matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
            return Self::Nothing;
        }
        let Ok(bytes) = to_bytes(body, LIMIT).await else { return Self::Unread };
        if bytes.is_empty() {
            return Self::Nothing;
        }
        let text = || Self::Text(String::from_utf8_lossy(&bytes).into_owned());
        serde_json::from_slice(&bytes).map_or_else(|_| text(), Self::Json)
    }

    /// Returns the body for the journal.
    pub(super) fn to_journal(&self) -> Option<Value> {
        match self {
            Self::Json(value) => Some(value.clone()),
            Self::Text(text) => Some(Value::String(text.clone())),
            Self::Nothing | Self::Unread => None,
        }
    }

    /// Returns the JSON object, or the error for a body that is not one.
    pub(super) fn object(&self) -> Result<&Map<String, Value>, ApiError> {
        let wrong = |reason: &str| Err(ApiError::BadRequest(reason.to_owned()));
        match self {
            Self::Json(Value::Object(map)) => Ok(map),
            Self::Json(_) | Self::Text(_) => wrong("The request body is not a JSON object."),
            Self::Nothing => wrong("The request body is missing."),
            Self::Unread => wrong("The request body is too large or incomplete."),
        }
    }

    /// Returns the value under a key; null if it is missing.
    pub(super) fn value(&self, key: &str) -> &Value {
        let Self::Json(Value::Object(map)) = self else { return &NOTHING };
        let found = map.iter().find(|(other, _)| other.eq_ignore_ascii_case(key));
        found.map_or(&NOTHING, |(_, value)| value)
    }

    /// Returns the text under a key; `None` if it is empty.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.value(key).as_str().filter(|text| !text.is_empty())
    }

    /// Returns the boolean under a key; `false` if it is missing.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.value(key).as_bool().unwrap_or_default()
    }

    /// Returns the texts of the list under a key.
    pub(super) fn texts(&self, key: &str) -> Vec<&str> {
        let list = self.value(key).as_array().into_iter().flatten();
        list.filter_map(Value::as_str).filter(|text| !text.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_json_and_keeps_other_bodies_as_text() {
        let read = |text: &'static str| RequestBody::read(&Method::POST, Body::from(text));
        let input = read(r#"{"projectname": "A", "Tenants": ["x", "", 3], "Empty": ""}"#).await;
        assert_eq!(input.text("ProjectName"), Some("A"));
        assert_eq!(input.texts("tenants"), ["x"]);
        assert_eq!((input.text("Empty"), input.flag("None")), (None, false));
        assert!(input.object().is_ok());
        assert_eq!(read("so what").await.to_journal(), Some(Value::from("so what")));
        assert!(read("[]").await.object().is_err());
        assert_eq!(read("").await.to_journal(), None);
        let large = RequestBody::read(&Method::PUT, Body::from(vec![b' '; LIMIT + 1])).await;
        assert!(large.object().is_err());
        assert!(RequestBody::read(&Method::GET, Body::from("{}")).await.to_journal().is_none());
    }
}

//! What a request wants changed: its body.

use axum::body::{Body, to_bytes};
use http::Method;
use serde_json::{Map, Value};

use super::answer::Refusal;

/// How large a body may be.
const LIMIT: usize = 4 * 1024 * 1024;

/// The body of a request. Keys are matched without regard to case.
pub(super) enum Order {
    /// Nothing came.
    Nothing,
    Json(Value),
    /// What is not JSON.
    Text(String),
    /// What is too large, or ended too early.
    Unread,
}

static NOTHING: Value = Value::Null;

impl Order {
    /// Reads what comes with a request that may bring something.
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

    /// As the journal shows it.
    pub(super) fn written(&self) -> Option<Value> {
        match self {
            Self::Json(value) => Some(value.clone()),
            Self::Text(text) => Some(Value::String(text.clone())),
            Self::Nothing | Self::Unread => None,
        }
    }

    /// The object that came, or why it will not do.
    pub(super) fn object(&self) -> Result<&Map<String, Value>, Refusal> {
        let wrong = |reason: &str| Err(Refusal::BadRequest(reason.to_owned()));
        match self {
            Self::Json(Value::Object(map)) => Ok(map),
            Self::Json(_) | Self::Text(_) => wrong("The request body is not a JSON object."),
            Self::Nothing => wrong("The request body is missing."),
            Self::Unread => wrong("The request body is too large or incomplete."),
        }
    }

    /// The value under a key; null where there is none.
    pub(super) fn value(&self, key: &str) -> &Value {
        let Self::Json(Value::Object(map)) = self else { return &NOTHING };
        let found = map.iter().find(|(other, _)| other.eq_ignore_ascii_case(key));
        found.map_or(&NOTHING, |(_, value)| value)
    }

    /// The text under a key; an empty one counts as none.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.value(key).as_str().filter(|text| !text.is_empty())
    }

    /// The switch under a key.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.value(key).as_bool().unwrap_or_default()
    }

    /// The texts of the list under a key.
    pub(super) fn texts(&self, key: &str) -> Vec<&str> {
        let list = self.value(key).as_array().into_iter().flatten();
        list.filter_map(Value::as_str).filter(|text| !text.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_is_read_as_json_or_kept_as_text() {
        let read = |text: &'static str| Order::read(&Method::POST, Body::from(text));
        let order = read(r#"{"projectname": "A", "Tenants": ["x", "", 3], "Empty": ""}"#).await;
        assert_eq!(order.text("ProjectName"), Some("A"));
        assert_eq!(order.texts("tenants"), ["x"]);
        assert_eq!((order.text("Empty"), order.flag("None")), (None, false));
        assert!(order.object().is_ok());
        assert_eq!(read("so what").await.written(), Some(Value::from("so what")));
        assert!(read("[]").await.object().is_err());
        assert_eq!(read("").await.written(), None);
        let large = Order::read(&Method::PUT, Body::from(vec![b' '; LIMIT + 1])).await;
        assert!(large.object().is_err());
        assert!(Order::read(&Method::GET, Body::from("{}")).await.written().is_none());
    }
}

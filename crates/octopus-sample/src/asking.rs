//! What the tests of the sample instance ask it with.

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Sample, keys};

/// The status and the body, with the key of the administrator.
pub(super) async fn ask(sample: &Sample, method: &str, path: &str, body: Value) -> (u16, Value) {
    ask_with(sample, keys::ADMIN, method, path, body).await
}

/// The status and the body; a body that is null is not sent.
pub(super) async fn ask_with(
    sample: &Sample,
    key: &str,
    method: &str,
    path: &str,
    body: Value,
) -> (u16, Value) {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let path = format!("/api/{path}");
    let request = Request::builder().method(method).uri(path).header("X-Octopus-ApiKey", key);
    let response = sample.router().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// What a path answers.
pub(super) async fn get(sample: &Sample, path: &str) -> Value {
    ask(sample, "GET", path, json!(null)).await.1
}

/// The first error of an answer.
pub(super) fn reason(body: &Value) -> &str {
    body["Errors"][0].as_str().unwrap_or_default()
}

/// An object with the keys of another put in.
pub(super) fn merged(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

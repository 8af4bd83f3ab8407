//! Requests for the tests of the sample instance.

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Sample, keys};

/// Sends a request as administrator. Returns status and body.
pub(super) async fn send(sample: &Sample, method: &str, path: &str, body: Value) -> (u16, Value) {
    send_as(sample, keys::ADMIN, method, path, body).await
}

/// Sends a request with a key. Returns status and body. A null body is not sent.
pub(super) async fn send_as(
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

/// Returns the body of a `GET` as administrator.
pub(super) async fn get(sample: &Sample, path: &str) -> Value {
    send(sample, "GET", path, json!(null)).await.1
}

/// Returns the first validation error of a response.
pub(super) fn reason(body: &Value) -> &str {
    body["Errors"][0].as_str().unwrap_or_default()
}

/// Returns an object with the keys of another added.
pub(super) fn merged(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

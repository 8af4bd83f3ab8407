//! Requests for the tests of the routes.

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::{Sample, keys};

/// Returns the whole response to a request with an API key.
pub(super) async fn get_response(sample: &Sample, key: &str, path: &str) -> Response<Bytes> {
    let request = Request::get(path).header("X-Octopus-ApiKey", key);
    let request = request.body(Body::empty()).expect(path);
    let response = sample.router().oneshot(request).await.expect(path);
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, body.collect().await.expect(path).to_bytes())
}

/// Returns the status of the response to a request with an API key.
pub(super) async fn status(key: &str, path: &str) -> u16 {
    get_response(&Sample::new(), key, path).await.status().as_u16()
}

/// Returns the response body that an administrator gets.
pub(super) async fn get(path: &str) -> Value {
    let response = get_response(&Sample::new(), keys::ADMIN, path).await;
    serde_json::from_slice(response.body()).expect(path)
}

/// Returns the IDs, or else the names, on a page or in an array.
pub(super) async fn ids(path: &str) -> Vec<String> {
    let body = get(path).await;
    let items = if body.is_array() { &body } else { &body["Items"] };
    let id = |item: &Value| item["Id"].as_str().or(item["Name"].as_str()).map(str::to_owned);
    items.as_array().expect(path).iter().filter_map(id).collect()
}

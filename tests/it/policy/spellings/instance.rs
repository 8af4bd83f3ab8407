//! Direct access to the sample instance, without this server.

use axum::body::Body;
use http_body_util::BodyExt;
use octopus_sample::{Sample, keys};
use serde_json::Value;
use tower::ServiceExt;

/// The sample instance. It has no rules.
pub struct SampleReader(axum::Router);

/// An answer of the sample instance.
pub enum SampleResponse {
    Json(Value),
    Text(String),
}

impl SampleResponse {
    /// The response that `execute` returned.
    pub fn of(response: &Value) -> Self {
        match response {
            Value::String(text) => Self::Text(text.clone()),
            value => Self::Json(value.clone()),
        }
    }
}

impl SampleReader {
    pub fn new() -> Self {
        Self(Sample::new().router())
    }

    /// Returns the documents of a list in a space, or of the instance if the path has no space.
    pub async fn list(&self, space: &str, collection: &str) -> Vec<Value> {
        for url in [format!("/api/{space}/{collection}"), format!("/api/{collection}")] {
            match self.get(&format!("{url}?take=1000")).await {
                Some(SampleResponse::Json(Value::Array(items))) => return items,
                Some(SampleResponse::Json(Value::Object(page))) => {
                    let lists = page.into_iter().filter_map(|(_, value)| match value {
                        Value::Array(items) => Some(items),
                        _ => None,
                    });
                    return lists.flatten().filter(|item| item["Id"].is_string()).collect();
                }
                _ => {}
            }
        }
        Vec::new()
    }

    /// Returns the response to a read, or `None` unless it succeeded.
    pub async fn get(&self, url: &str) -> Option<SampleResponse> {
        let request = http::Request::get(url).header("X-Octopus-ApiKey", keys::ADMIN);
        let request = request.body(Body::empty()).ok()?;
        let response = self.0.clone().oneshot(request).await.unwrap();
        if !response.status().is_success() {
            return None;
        }
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Some(match serde_json::from_slice(&bytes) {
            Ok(value) => SampleResponse::Json(value),
            Err(_) => SampleResponse::Text(String::from_utf8_lossy(&bytes).into_owned()),
        })
    }
}

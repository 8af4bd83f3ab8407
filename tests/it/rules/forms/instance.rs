//! The sample instance, asked without this server, and what is denied there.

use axum::body::Body;
use http_body_util::BodyExt;
use octopus_mcp::sample::{Sample, keys};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::calls::Call;

/// The sample instance.
pub struct Instance(axum::Router);

/// What a rule denies.
#[derive(Debug, Clone, Copy)]
pub struct Denied {
    /// How the rule matches it.
    matcher: &'static str,
    name: &'static str,
    pub id: &'static str,
    /// Another thing of its kind.
    pub open: &'static str,
    /// The key by which documents say that they belong to it.
    key: &'static str,
    /// Its space and the slug of that.
    pub space: (&'static str, &'static str),
}

impl Denied {
    pub const PROJECT: Self = Self {
        matcher: "projects",
        name: "Parcel Tracking API",
        id: "Projects-1",
        open: "Projects-4",
        key: "ProjectId",
        space: ("Spaces-1", "default"),
    };
    pub const ENVIRONMENT: Self = Self {
        matcher: "environments",
        name: "Production",
        id: "Environments-3",
        open: "Environments-2",
        key: "EnvironmentId",
        space: ("Spaces-1", "default"),
    };
    pub const TENANT: Self = Self {
        matcher: "tenants",
        name: "Brightwater Couriers",
        id: "Tenants-1",
        open: "Tenants-2",
        key: "TenantId",
        space: ("Spaces-1", "default"),
    };
    pub const SPACE: Self = Self {
        matcher: "spaces",
        name: "Warehouse Systems",
        id: "Spaces-22",
        open: "Spaces-1",
        key: "SpaceId",
        space: ("Spaces-22", "warehouse-systems"),
    };

    /// A rule about it.
    pub fn rule(&self, effect: &str, tiers: &[&str]) -> Value {
        json!({ "name": "r", "effect": effect, "tiers": tiers, (self.matcher): [self.name] })
    }

    /// Whether an answer holds a document that is it or belongs to it.
    pub fn is_in(&self, answer: &Answer) -> bool {
        match answer {
            Answer::Text(text) => text.contains(self.name),
            Answer::Json(value) => {
                let items = value.as_array().or_else(|| value["Items"].as_array());
                let own = |document: &Value| {
                    let related = document["RelatedDocumentIds"].as_array();
                    document["Id"] == self.id
                        || related.is_some_and(|ids| ids.iter().any(|id| id == self.id))
                };
                own(value) || items.is_some_and(|items| items.iter().any(own)) || self.owns(value)
            }
        }
    }

    /// Whether a document, or one within it, belongs to it.
    pub fn owns(&self, value: &Value) -> bool {
        match value {
            Value::Array(items) => items.iter().any(|item| self.owns(item)),
            Value::Object(fields) => fields.iter().any(|(key, value)| {
                let is_it = |value: &Value| value == self.id;
                let names = key.strip_suffix('s').unwrap_or(key) == self.key;
                names && (is_it(value) || value.as_array().is_some_and(|v| v.iter().any(is_it)))
                    || self.owns(value)
            }),
            _ => false,
        }
    }
}

/// An answer of the sample instance.
pub enum Answer {
    Json(Value),
    Text(String),
}

impl Answer {
    /// What `execute` gave of one.
    pub fn of(response: &Value) -> Self {
        match response {
            Value::String(text) => Self::Text(text.clone()),
            value => Self::Json(value.clone()),
        }
    }
}

impl Instance {
    pub fn new() -> Self {
        Self(Sample::new().router())
    }

    /// What it answers to a read; none where that is no success.
    pub async fn get(&self, call: &Call) -> Option<Answer> {
        self.read(&call.url()).await
    }

    /// The documents of a list in a space.
    pub async fn list(&self, space: &str, collection: &str) -> Vec<Value> {
        let url = format!("/api/{space}/{collection}?take=1000");
        match self.read(&url).await {
            Some(Answer::Json(page)) => page["Items"].as_array().cloned().unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    async fn read(&self, url: &str) -> Option<Answer> {
        let request = http::Request::get(url).header("X-Octopus-ApiKey", keys::ADMIN);
        let request = request.body(Body::empty()).ok()?;
        let response = self.0.clone().oneshot(request).await.unwrap();
        if !response.status().is_success() {
            return None;
        }
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Some(match serde_json::from_slice(&bytes) {
            Ok(value) => Answer::Json(value),
            Err(_) => Answer::Text(String::from_utf8_lossy(&bytes).into_owned()),
        })
    }
}

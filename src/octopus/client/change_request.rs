//! Requests that change Octopus, and the permit that is required to send them.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::path::ApiPath;

/// HTTP methods of change requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "UPPERCASE")]
pub enum WriteMethod {
    /// Creates a resource or starts a process.
    Post,
    /// Replaces a document.
    Put,
    /// Changes a part of a document.
    Patch,
    /// Deletes a resource.
    Delete,
}

/// A request that changes Octopus. The approved value itself is sent.
#[derive(Debug, Clone)]
pub struct ChangeRequest {
    /// The method.
    pub method: WriteMethod,
    /// The path and query.
    pub path: ApiPath,
    /// The body, sent as JSON.
    pub body: Option<Value>,
}

impl ChangeRequest {
    /// Creates a request that creates a resource or starts a process.
    pub fn post(path: ApiPath, body: Value) -> Self {
        Self { method: WriteMethod::Post, path, body: Some(body) }
    }

    /// Creates a request that replaces a document.
    pub fn put(path: ApiPath, body: Value) -> Self {
        Self { method: WriteMethod::Put, path, body: Some(body) }
    }

    /// Returns a SHA-256 digest for comparing requests. Excludes `audit_id`, the ID of the change
    /// in the body, because two approval requests for one change have different IDs.
    pub fn digest(&self, audit_id: Option<&str>) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        if let Some(id) = audit_id.filter(|id| !id.is_empty()) {
            body = body.replace(id, "");
        }
        digest.update(format!("{} {}\n{body}", self.method, self.path));
        digest.finalize().into()
    }
}

/// Permission to send one change request. Only the approval code creates it (`tool/change.rs`),
/// after the approval; a test checks this.
#[derive(Debug)]
pub struct WritePermit(());

impl WritePermit {
    /// Creates the permit. Call this only after the change was approved.
    pub fn after_approval() -> Self {
        Self(())
    }
}

//! Limits concurrent requests.
//!
//! Some permits are reserved for the first requests of clients.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    config::LimitSettings,
    http::{envelope, rejection::Rejection},
    telemetry::Limit,
};

/// Permits beyond `limits.concurrent_requests` that are reserved for `initialize` and
/// `server/discover`. A client whose first request fails reports a broken server, or falls back to
/// an older revision.
const RESERVED: usize = 32;

/// Maximum number of bytes of a rejected body that are read to find the request ID.
const READ_LIMIT: usize = 64 * 1024;
/// Time limit for reading a rejected body.
const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// Limits the number of concurrent requests.
#[derive(Debug)]
pub(super) struct ConcurrencyLimit(Arc<Semaphore>);

impl ConcurrencyLimit {
    pub(super) fn new(limits: &LimitSettings) -> Self {
        Self(Arc::new(Semaphore::new(limits.concurrent_requests as usize + RESERVED)))
    }

    /// Acquires a permit for a request. If only reserved permits are available, reads the body
    /// first, and grants a permit only to `initialize`, `server/discover` and responses to server
    /// requests.
    ///
    /// # Errors
    ///
    /// Returns 503 and the JSON-RPC ID of the request if no permit is available.
    pub(super) async fn acquire(
        &self,
        body: Body,
    ) -> Result<(OwnedSemaphorePermit, Body), (Rejection, Value)> {
        let is_full = self.0.available_permits() <= RESERVED;
        let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() else {
            let id = first_message(body).await.err().unwrap_or_default();
            return Err((limit_reached(), id));
        };
        if !is_full {
            return Ok((permit, body));
        }
        match first_message(body).await {
            Ok(bytes) => Ok((permit, Body::from(bytes))),
            Err(id) => {
                drop(permit);
                Err((limit_reached(), id))
            }
        }
    }
}

/// Returns the body of a request that may use a reserved permit, or the ID of any other request.
async fn first_message(body: Body) -> Result<Bytes, Value> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        id: Value,
        #[serde(default)]
        method: Value,
    }
    let read = tokio::time::timeout(READ_TIMEOUT, Limited::new(body, READ_LIMIT).collect()).await;
    let Ok(Ok(read)) = read else { return Err(Value::Null) };
    let read = read.to_bytes();
    let head: Head = serde_json::from_slice(&read).map_err(|_| Value::Null)?;
    match head.method.as_str() {
        Some(method) if envelope::is_first_method(method) => Ok(read),
        // A response to a server request: a call with a permit waits for it.
        None if head.method.is_null() && !head.id.is_null() => Ok(read),
        _ if head.id.is_string() || head.id.is_i64() => Err(head.id),
        _ => Err(Value::Null),
    }
}

fn limit_reached() -> Rejection {
    let message = "the limit for concurrent requests is reached; retry in 1 second";
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, message)
        .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
        .limited_by(Limit::GlobalConcurrency)
}

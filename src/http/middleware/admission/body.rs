//! Reads request bodies within limits for size, time and memory.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::memory::BodyMemory;
use crate::http::rejection::Rejection;

/// Reads a body of at most `limit` bytes. `declared` is the `Content-Length` header. A body that
/// declares too many bytes is rejected unread.
///
/// # Errors
///
/// Returns 413 for a body over the limit, 408 for a body that takes longer than `time`, and 400 for
/// a body that ends early. Returns 503 if no memory is available.
pub(super) async fn read(
    body: Body,
    declared: Option<u64>,
    limit: usize,
    time: Duration,
    memory: &mut BodyMemory,
) -> Result<Bytes, Rejection> {
    let too_large = || {
        let message = format!("the request body is larger than the limit of {limit} bytes");
        Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let mut body = Limited::new(body, limit);
    let reading = async {
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    return too_large();
                }
                Rejection::new(StatusCode::BAD_REQUEST, "the request body ended early")
            })?;
            let Ok(chunk) = frame.into_data() else { continue };
            memory.grow(bytes.len() + chunk.len()).await?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    };
    tokio::time::timeout(time, reading).await.unwrap_or_else(|_| {
        let message = format!("the request body took longer than {} s", time.as_secs());
        Err(Rejection::new(StatusCode::REQUEST_TIMEOUT, message))
    })
}

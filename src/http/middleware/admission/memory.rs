//! Limits the memory of concurrent large requests.
//!
//! There are two budgets: one for bodies that are being received, and one for parsed messages. A
//! body is reserved in the first budget while it is read. When it is complete, the memory of the
//! parsed message is estimated from its text and reserved in the second budget. A parsed value uses
//! much more memory than its text (`1,` is 2 bytes, and 72 as a `serde_json::Value`). The memory is
//! released when the response has been sent. Small requests need no reservation and never wait.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use tokio::time::Instant;

use crate::{
    config::LimitSettings,
    http::rejection::Rejection,
    octopus::{Fingerprint, MemoryBudget, Reservation, UNRESERVED_BYTES},
    telemetry::Limit,
};

/// Maximum time that a large request waits for memory.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);
/// Number of copies of a message in memory at the same time: the text, the parsed arguments, the
/// request to Octopus.
const COPIES: usize = 3;
/// Memory of one JSON value in addition to its text, in bytes: a node of a list or an object, with
/// spare capacity.
const VALUE: usize = 100;

/// The budgets for large requests.
#[derive(Debug)]
pub(super) struct RequestMemory {
    bodies: MemoryBudget,
    messages: MemoryBudget,
}

/// Memory reservation of one request body while it is received.
#[derive(Debug)]
pub(super) struct BodyMemory {
    budget: MemoryBudget,
    owner: Fingerprint,
    claim: usize,
    reserved: Option<Reservation>,
}

impl RequestMemory {
    /// Splits `limits.request_bytes_in_flight`: a quarter is for bodies that are being received.
    pub(super) fn new(limits: &LimitSettings) -> Self {
        let total = limits.request_bytes_in_flight.0;
        let bodies = MemoryBudget::new(total / 4);
        Self { bodies, messages: MemoryBudget::new(total - total / 4) }
    }

    /// Returns the memory reservation for a body of at most `claim` bytes.
    pub(super) fn body(&self, owner: Fingerprint, claim: usize) -> BodyMemory {
        BodyMemory { budget: self.bodies.clone(), owner, claim, reserved: None }
    }

    /// Reserves the memory of a message.
    ///
    /// # Errors
    ///
    /// Returns 413 if the message needs more memory than one address can reserve, and 503 if no
    /// memory is available within five seconds.
    pub(super) async fn message(
        &self,
        owner: Fingerprint,
        body: &Bytes,
    ) -> Result<Option<Reservation>, Rejection> {
        let values = values(body);
        let weight = body.len().saturating_add(values.saturating_mul(VALUE)).saturating_mul(COPIES);
        if weight <= UNRESERVED_BYTES {
            return Ok(None);
        }
        let maximum = self.messages.owner_share();
        if weight > maximum {
            let max_values = (maximum / COPIES).saturating_sub(body.len()) / VALUE;
            let message = format!(
                "the request body has about {values} JSON values; the limit for a body of this \
                 size is {max_values} JSON values. Send less in one request"
            );
            return Err(Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        let mut memory = self.messages.register(owner, weight);
        memory.grow(weight, Instant::now() + WAIT_TIMEOUT).await.map_err(|_| full())?;
        Ok(Some(memory))
    }
}

impl BodyMemory {
    /// Grows the reservation to `bytes` bytes, the size of the received part of the body.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), Rejection> {
        if bytes <= UNRESERVED_BYTES {
            return Ok(());
        }
        let reserved =
            self.reserved.get_or_insert_with(|| self.budget.register(self.owner, self.claim));
        reserved.grow(bytes, Instant::now() + WAIT_TIMEOUT).await.map_err(|_| full())
    }
}

fn full() -> Rejection {
    Rejection::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "the memory limit for large requests is reached; retry in 1 second, or send less in one \
         request",
    )
    .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    .limited_by(Limit::GlobalConcurrency)
}

/// Estimates the number of values in a JSON text: one for each comma, list and object.
fn values(text: &[u8]) -> usize {
    let (mut is_text, mut is_escaped) = (false, false);
    text.iter()
        .filter(|byte| {
            let counts = !is_text && matches!(byte, b',' | b'[' | b'{');
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_text => is_escaped = true,
                b'"' => is_text = !is_text,
                _ => {}
            }
            counts
        })
        .count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::ByteSize;

    fn memory(mib: usize) -> RequestMemory {
        let request_bytes_in_flight = ByteSize(mib * 1024 * 1024);
        RequestMemory::new(&LimitSettings { request_bytes_in_flight, ..LimitSettings::default() })
    }

    fn owner() -> Fingerprint {
        Fingerprint::of([b"192.0.2.1".as_slice()])
    }

    #[tokio::test]
    async fn estimates_more_memory_for_many_values_than_one_string() {
        let memory = memory(64);
        let small = Bytes::from(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
        assert!(memory.message(owner(), &small).await.unwrap().is_none());
        let text = Bytes::from(format!("\"{}\"", "[,".repeat(512 * 1024)));
        assert!(memory.message(owner(), &text).await.unwrap().is_some());
        assert_eq!(memory.messages.reserved(), 0, "released");
        let values = Bytes::from(format!("[1{}]", ",1".repeat(512 * 1024)));
        let rejection = memory.message(owner(), &values).await.unwrap_err();
        assert_eq!(rejection.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert!(format!("{rejection:?}").contains("524289 JSON values"), "{rejection:?}");
    }

    #[tokio::test]
    async fn reserves_memory_while_a_body_is_read() {
        let memory = memory(8);
        let mut small = memory.body(owner(), 1024 * 1024);
        small.grow(UNRESERVED_BYTES).await.unwrap();
        assert_eq!(memory.bodies.reserved(), 0);
        small.grow(UNRESERVED_BYTES + 1).await.unwrap();
        assert!(memory.bodies.reserved() > 0);
        drop(small);
        assert_eq!(memory.bodies.reserved(), 0);
    }

    fn count(value: &serde_json::Value) -> usize {
        1 + match value {
            serde_json::Value::Array(items) => items.iter().map(count).sum(),
            serde_json::Value::Object(fields) => fields.values().map(count).sum(),
            _ => 0,
        }
    }

    proptest! {
        #[test]
        fn never_underestimates_the_number_of_values(text in "[\\[\\]{},:\"a1\\\\ ]{0,40}") {
            if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
                // Each list and object is counted, and each item but the first of its list.
                prop_assert!(2 * values(text.as_bytes()) + 1 >= count(&value), "{}", text);
            }
        }
    }
}

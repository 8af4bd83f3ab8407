//! Reads response bodies within the memory budget.

use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::time::Instant;

use super::{PendingResponse, Transport};
use crate::octopus::client::{
    budget::{Reservation, UNRESERVED_BYTES},
    credentials::Fingerprint,
    error::Error,
    response::RawResponse,
};

/// Body of a response. It holds its memory until no part of it is in use.
struct Body {
    bytes: Vec<u8>,
    _memory: Reservation,
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Transport {
    /// Reserves memory for the response to a change before the change is sent, so that the response
    /// is not lost for lack of memory. The reservation can grow up to `limit`.
    pub(in crate::octopus) async fn reserve(
        &self,
        owner: Fingerprint,
        bytes: usize,
        limit: usize,
    ) -> Result<Reservation, Error> {
        let mut memory = self.memory.register(owner, bytes.min(limit)).with_max_claim(limit);
        let reserved = memory.grow(bytes.min(limit), self.memory_deadline()).await;
        reserved.map_err(|_| Error::MemoryExhausted { sent: false })?;
        Ok(memory)
    }

    /// Reads the body, up to `limit` bytes.
    pub(in crate::octopus) async fn read_body(
        &self,
        pending: PendingResponse,
        owner: Fingerprint,
        limit: usize,
    ) -> Result<RawResponse, Error> {
        let content_type = pending.content_type();
        let body = self.read_shared_body(pending, owner, limit).await?;
        Ok(RawResponse { content_type, body })
    }

    /// Reads the body of the response to a change. Its memory is returned separately, because the
    /// idempotency store keeps the body for longer than the call, within a separate limit.
    pub(in crate::octopus) async fn read_body_with_memory(
        &self,
        pending: PendingResponse,
        owner: Fingerprint,
        limit: usize,
    ) -> Result<(RawResponse, Option<Reservation>), Error> {
        let content_type = pending.content_type();
        let (mut body, memory) = self.read_reserved(pending, owner, limit).await?;
        body.shrink_to_fit();
        Ok((RawResponse { content_type, body: body.into() }, memory))
    }

    /// Returns the deadline for waiting for memory. It is earlier than the timeout of the request,
    /// whose error would hide the reason.
    pub(in crate::octopus) fn memory_deadline(&self) -> Instant {
        Instant::now() + self.timeout / 2
    }

    /// Reads the body; the result holds its memory.
    pub(super) async fn read_shared_body(
        &self,
        pending: PendingResponse,
        owner: Fingerprint,
        limit: usize,
    ) -> Result<Bytes, Error> {
        let (bytes, memory) = self.read_reserved(pending, owner, limit).await?;
        Ok(match memory {
            None => bytes.into(),
            Some(memory) => Bytes::from_owner(Body { bytes, _memory: memory }),
        })
    }

    /// Reads the body. Bytes beyond [`UNRESERVED_BYTES`] are reserved before they are kept.
    async fn read_reserved(
        &self,
        pending: PendingResponse,
        owner: Fingerprint,
        limit: usize,
    ) -> Result<(Vec<u8>, Option<Reservation>), Error> {
        let PendingResponse { response, permit, memory } = pending;
        let deadline = self.memory_deadline();
        let limit = limit.min(self.memory.owner_share());
        let length =
            response.content_length().map(|length| length.try_into().unwrap_or(usize::MAX));
        if length.is_some_and(|length| length > limit) {
            return Err(Error::TooLarge { limit });
        }
        let (mut permit, mut memory) = (Some(permit), memory);
        let mut body = Vec::with_capacity(length.unwrap_or_default().min(UNRESERVED_BYTES));
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| self.connection_error(error))?;
            let bytes = body.len() + piece.len();
            if bytes > limit {
                return Err(Error::TooLarge { limit });
            }
            if bytes > UNRESERVED_BYTES {
                let claim = length.unwrap_or(limit);
                let memory = memory.get_or_insert_with(|| self.memory.register(owner, claim));
                if !memory.try_grow(bytes) {
                    // Octopus has sent the response, so this reader need not block other requests.
                    permit = permit.take().map(|permit| self.limiter.park(permit));
                    let grown = memory.grow(bytes, deadline).await;
                    grown.map_err(|_| Error::MemoryExhausted { sent: true })?;
                }
                // Allocate exactly the reserved bytes.
                if body.capacity() < bytes {
                    body.reserve_exact(memory.held().max(bytes) - body.len());
                }
            }
            body.extend_from_slice(&piece);
        }
        if let Some(memory) = &mut memory {
            memory.shrink_to(body.len());
        }
        Ok((body, memory))
    }

    /// Streams a body of any size. Dropping the stream aborts the download.
    pub(in crate::octopus) fn stream_body(
        self: &Arc<Self>,
        pending: PendingResponse,
    ) -> impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<> {
        let PendingResponse { response, permit, .. } = pending;
        let transport = Arc::clone(self);
        Box::pin(response.bytes_stream().map(move |piece| {
            // The stream owns the permit until it ends.
            let _held = &permit;
            piece.map_err(|error| transport.connection_error(error))
        }))
    }
}

impl PendingResponse {
    /// Attaches memory that was reserved before the request was sent.
    pub(in crate::octopus) fn with_memory(self, memory: Reservation) -> Self {
        Self { memory: Some(memory), ..self }
    }
}

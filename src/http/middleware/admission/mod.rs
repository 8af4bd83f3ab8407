//! Layer 4: limits concurrent requests, and the size, time and memory of their bodies.

mod body;
mod concurrency;
mod memory;

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header::CONTENT_LENGTH};

use self::{concurrency::ConcurrencyLimit, memory::RequestMemory};
use super::{hold::hold_until_sent, keyed_limit::KeyedLimit};
use crate::{
    config::{HttpSettings, LimitSettings},
    http::{peer::client_key, rejection::Rejection},
    octopus::{Fingerprint, Reservation},
    telemetry::Limit,
};

/// The limits of this layer.
#[derive(Debug)]
pub(in crate::http) struct Admission {
    requests: ConcurrencyLimit,
    /// Requests per address whose body has not arrived. The caller is not authenticated yet, so one
    /// address must not use all permits.
    unread: Arc<KeyedLimit>,
    memory: RequestMemory,
    body_limit: usize,
    body_timeout: Duration,
}

impl Admission {
    pub(in crate::http) fn new(http: &HttpSettings, limits: &LimitSettings) -> Self {
        Self {
            requests: ConcurrencyLimit::new(limits),
            unread: KeyedLimit::new(limits.unread_requests_per_address as usize),
            memory: RequestMemory::new(limits),
            body_limit: http.body_limit.0,
            body_timeout: http.body_timeout.0,
        }
    }

    /// Reads a body, and reserves memory for its message until the response has been sent.
    async fn read(
        &self,
        owner: Fingerprint,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(Body, Option<Reservation>), Rejection> {
        let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let declared = declared.and_then(|value| value.parse().ok());
        let (limit, time) = (self.body_limit, self.body_timeout);
        let claim = declared.map_or(limit, |length: u64| length.try_into().unwrap_or(limit));
        let mut body_memory = self.memory.body(owner, claim.min(limit));
        let bytes = body::read(body, declared, limit, time, &mut body_memory).await?;
        // The memory of the body is released after the memory of the message was reserved.
        let message = self.memory.message(owner, &bytes).await?;
        Ok((Body::from(bytes), message))
    }
}

/// Admits a request within the limits and reads its body into memory.
///
/// - Needs: [`Peer`](crate::http::peer::Peer).
/// - Adds: nothing. The inner layers get a complete request body.
/// - Rejects with: 429 (too many unread bodies of one address), 503 (concurrent requests, memory),
///   413, 408 and 400 (body).
///
/// The permit and the memory of a request are released when its response has been sent.
pub(in crate::http) async fn admit(
    State(admission): State<Arc<Admission>>,
    request: Request,
    next: Next,
) -> Response {
    let address = client_key(request.extensions());
    let Some(unread) = admission.unread.acquire(address) else {
        return too_many_unread(admission.unread.limit()).into_response();
    };
    let (parts, body) = request.into_parts();
    let (permit, body) = match admission.requests.acquire(body).await {
        Ok(admitted) => admitted,
        Err((rejection, id)) => return rejection.to(&id),
    };
    let owner = Fingerprint::of([address.as_slice()]);
    let (body, memory) = match admission.read(owner, &parts.headers, body).await {
        Ok(read) => read,
        Err(rejection) => return rejection.into_response(),
    };
    drop(unread);
    let response = next.run(Request::from_parts(parts, body)).await;
    hold_until_sent(response, (permit, memory))
}

fn too_many_unread(limit: usize) -> Rejection {
    let message = format!(
        "{limit} requests from this address have not sent their bodies yet, which is the limit; \
         send bodies without delay, and retry in 1 second"
    );
    let wait = Duration::from_secs(1);
    Rejection::rate_limited(StatusCode::TOO_MANY_REQUESTS, wait, message)
        .limited_by(Limit::PendingBody)
}

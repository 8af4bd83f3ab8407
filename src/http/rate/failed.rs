//! Requests that fail to say who calls. The address counts that they come from; when it has none
//! left, nothing that comes from there is looked at any more, so that guessing costs no work.
//!
//! Others may come from the same address: whoever was let in a moment ago is still served.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use moka::sync::Cache;

use super::{address, told};
use crate::{
    http::{Gate, auth::Unidentified, envelope::Envelope, proof},
    store::{Bucket, Key},
};

/// How many addresses are remembered that have none left, and how many credentials that were good.
const MOST: u64 = 50_000;
/// How long a credential that was good is remembered.
const GOOD_FOR: Duration = Duration::from_mins(10);

#[derive(Debug)]
pub(super) struct Failed {
    bucket: Option<Bucket>,
    /// Addresses with none left, and until when.
    closed: Cache<Key, Instant>,
    /// What was sent by callers who were let in.
    good: Cache<Key, ()>,
}

/// What a request proves who calls with: headers, or the certificate of its connection.
#[derive(Debug, Clone, Copy)]
struct Sent(Key);

impl Failed {
    pub(super) fn new(bucket: Option<Bucket>) -> Self {
        Self {
            bucket,
            closed: Cache::builder().max_capacity(MOST).build(),
            good: Cache::builder().max_capacity(MOST).time_to_live(GOOD_FOR).build(),
        }
    }

    /// How long nothing from there is looked at.
    fn closed_for(&self, address: &Key) -> Option<Duration> {
        let left = self.closed.get(address)?.saturating_duration_since(Instant::now());
        if left.is_zero() {
            self.closed.invalidate(address);
            return None;
        }
        Some(left)
    }

    /// Remembers that the caller of this request was let in. Each time counts anew, so whoever
    /// goes on calling stays known.
    pub(super) fn was_good(&self, request: &Request) {
        if let Some(Sent(sent)) = request.extensions().get() {
            self.good.insert(*sent, ());
        }
    }
}

/// Counts a request that fails to say who calls, and refuses those from where too many did.
pub(in crate::http) async fn count(
    State(gate): State<Arc<Gate>>,
    request: Request,
    next: Next,
) -> Response {
    let failed = &gate.rates.failed;
    let Some(bucket) = &failed.bucket else { return next.run(request).await };
    let id = Envelope::id_of(&request);
    let address = address(&request);
    let (parts, body) = request.into_parts();
    let sent = proof::sent(&gate.auth, &parts).map(|sent| Sent(*sent.as_bytes()));
    let mut request = Request::from_parts(parts, body);
    let was_good = sent.is_some_and(|sent| failed.good.contains_key(&sent.0));
    if !was_good && let Some(left) = failed.closed_for(&address) {
        return told::failed(left).to(&id);
    }
    if let Some(sent) = sent {
        request.extensions_mut().insert(sent);
    }
    let response = next.run(request).await;
    if response.extensions().get::<Unidentified>().is_none() {
        return response;
    }
    if let Some(Sent(sent)) = sent {
        failed.good.invalidate(&sent);
    }
    let taken = bucket.take(&address).await;
    if taken.allowed {
        return response;
    }
    failed.closed.insert(address, Instant::now() + taken.wait);
    told::failed(taken.wait).to(&id)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn whoever_goes_on_calling_stays_known_and_others_are_forgotten() {
        let good_for = Duration::from_secs(1);
        let good = Cache::builder().time_to_live(good_for).build();
        let failed = Failed { good, ..Failed::new(None) };
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(Sent([1; 32]));
        failed.good.insert([2; 32], ());
        let began = Instant::now();
        while began.elapsed() < good_for * 3 / 2 {
            failed.was_good(&request);
            std::thread::yield_now();
        }
        assert!(failed.good.contains_key(&[1; 32]));
        assert!(!failed.good.contains_key(&[2; 32]));
    }
}

//! Rate limit for failed authentication, by address.
//!
//! Requests of an address over the limit are rejected before their credentials are checked, so that
//! guesses consume no work. Several clients may share an address, so recently accepted credentials
//! remain usable.

use std::time::{Duration, Instant};

use http::StatusCode;
use moka::sync::Cache;

use crate::{
    http::rejection::{Rejection, in_seconds},
    store::{StoreKey, TokenBuckets},
    telemetry::Limit,
};

/// Maximum number of cached blocked addresses, and of cached accepted credentials.
const CAPACITY: u64 = 50_000;
/// Retention of an accepted credential after its last use.
const ACCEPTED_FOR: Duration = Duration::from_mins(10);

/// Counts failed authentication by address.
#[derive(Debug)]
pub(in crate::http) struct AuthFailures {
    /// `None` if the settings have no limit.
    bucket: Option<TokenBuckets>,
    /// Addresses over the limit, with the end of the block.
    blocked: Cache<StoreKey, Instant>,
    /// Fingerprints of accepted credentials.
    accepted: Cache<StoreKey, ()>,
}

/// Fingerprint of the authenticating headers or the client certificate. Inserted into the
/// extensions of an authenticated request.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct ProofFingerprint(pub(super) StoreKey);

impl AuthFailures {
    pub(in crate::http) fn new(bucket: Option<TokenBuckets>) -> Self {
        Self {
            bucket,
            blocked: Cache::builder().max_capacity(CAPACITY).build(),
            accepted: Cache::builder().max_capacity(CAPACITY).time_to_live(ACCEPTED_FOR).build(),
        }
    }

    /// Returns whether the settings limit failures.
    pub(super) fn is_limited(&self) -> bool {
        self.bucket.is_some()
    }

    /// Rejects a request of an address over the limit, unless its proof was accepted recently.
    ///
    /// # Errors
    ///
    /// Returns 429 with the remaining time of the block.
    pub(super) fn check(
        &self,
        address: &StoreKey,
        proof: Option<ProofFingerprint>,
    ) -> Result<(), Rejection> {
        if !self.is_limited() || proof.is_some_and(|proof| self.accepted.contains_key(&proof.0)) {
            return Ok(());
        }
        self.blocked_for(address).map_or(Ok(()), |remaining| Err(too_many(remaining)))
    }

    /// Counts a request that failed to authenticate.
    ///
    /// # Errors
    ///
    /// Returns 429 if the address is now over the limit.
    pub(super) async fn record(
        &self,
        address: &StoreKey,
        proof: Option<ProofFingerprint>,
    ) -> Result<(), Rejection> {
        let Some(bucket) = &self.bucket else { return Ok(()) };
        if let Some(ProofFingerprint(proof)) = proof {
            self.accepted.invalidate(&proof);
        }
        let decision = bucket.take(address).await;
        if decision.allowed {
            return Ok(());
        }
        self.blocked.insert(*address, Instant::now() + decision.retry_after);
        Err(too_many(decision.retry_after))
    }

    /// Stores an accepted proof. Each use extends its lifetime.
    pub(in crate::http) fn accept(&self, proof: ProofFingerprint) {
        self.accepted.insert(proof.0, ());
    }

    /// Returns the remaining time of the block of an address, or `None` if it is not blocked.
    fn blocked_for(&self, address: &StoreKey) -> Option<Duration> {
        let remaining = self.blocked.get(address)?.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            self.blocked.invalidate(address);
            return None;
        }
        Some(remaining)
    }
}

fn too_many(wait: Duration) -> Rejection {
    let message = format!(
        "too many requests from this address failed to authenticate, so the credential of this \
         request was not checked; correct the credential of your client and retry {}",
        in_seconds(wait)
    );
    Rejection::rate_limited(StatusCode::TOO_MANY_REQUESTS, wait, message)
        .limited_by(Limit::FailedAuthentication)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_extends_the_lifetime_of_a_proof() {
        let accepted = Cache::builder().time_to_live(Duration::from_secs(1)).build();
        let failures = AuthFailures { accepted, ..AuthFailures::new(None) };
        failures.accept(ProofFingerprint([1; 32]));
        failures.accept(ProofFingerprint([2; 32]));
        while failures.accepted.contains_key(&[2; 32]) {
            failures.accept(ProofFingerprint([1; 32]));
            std::thread::yield_now();
        }
        assert!(failures.accepted.contains_key(&[1; 32]));
    }
}

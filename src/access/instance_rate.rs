//! Rate limit of each Octopus instance, shared by all callers.

use crate::{
    config::LimitSettings,
    octopus::Fingerprint,
    store::{RateLimitDecision, Store, TokenBuckets},
};

/// Rate limit of each Octopus instance, shared by all callers. Clones share the counters. The
/// default is unlimited.
#[derive(Debug, Clone, Default)]
pub struct InstanceRateLimit(Option<TokenBuckets>);

impl InstanceRateLimit {
    /// Creates the rate limit of the settings, with counters in this store.
    pub fn new(limits: &LimitSettings, store: &Store) -> Self {
        Self(store.buckets("instance", limits.instance_rate, limits.instance_burst))
    }

    /// Counts one request to the instance with this name.
    ///
    /// Callers whose credential the instance has not accepted (`is_accepted` is false) share a
    /// separate rate, because invented credentials must not use up the rate of other callers.
    ///
    /// # Errors
    ///
    /// Returns the time to wait if the limit is reached.
    pub async fn take(&self, name: &str, is_accepted: bool) -> Result<(), RateLimitDecision> {
        let Some(bucket) = &self.0 else { return Ok(()) };
        let key = if is_accepted {
            Fingerprint::of([name.as_bytes()])
        } else {
            Fingerprint::of([name.as_bytes(), b"unproven"])
        };
        let decision = bucket.take(key.as_bytes()).await;
        if decision.allowed { Ok(()) } else { Err(decision) }
    }
}

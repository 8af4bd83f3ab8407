//! Token buckets for rate limits, one for each key, in memory or in Redis.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};

use super::{StoreKey, remote::RedisStore};

/// The maximum number of keys with a separate bucket in memory. Further keys share one bucket.
const MAX_KEYS: usize = 100_000;

/// The key of the shared bucket.
const SHARED_KEY: StoreKey = [0; 32];

const MINUTE: Duration = Duration::from_mins(1);

/// The result of taking a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitDecision {
    /// Whether a token was taken.
    pub allowed: bool,
    /// The number of tokens in a full bucket.
    pub limit: u32,
    /// The number of remaining tokens.
    pub remaining: u32,
    /// Time until a token is available. Zero if a token was taken.
    pub retry_after: Duration,
    /// Time until the bucket is full.
    pub reset_after: Duration,
}

/// Token buckets with the same limits, one for each key.
#[derive(Debug, Clone)]
pub struct TokenBuckets {
    name: &'static str,
    burst: NonZeroU32,
    /// The interval at which one token is added.
    interval: Duration,
    local: Arc<LocalBuckets>,
    remote: Option<Arc<RedisStore>>,
}

/// Token buckets in the memory of this process.
#[derive(Debug)]
pub(super) struct LocalBuckets {
    limiter: DefaultKeyedRateLimiter<StoreKey, StateInformationMiddleware>,
    max_keys: usize,
}

impl TokenBuckets {
    pub(super) fn new(
        name: &'static str,
        rate: u32,
        burst: u32,
        remote: Option<Arc<RedisStore>>,
    ) -> Option<Self> {
        let each = MINUTE.checked_div(rate)?;
        let burst = NonZeroU32::new(burst)?;
        let quota = Quota::with_period(each)?.allow_burst(burst);
        let limiter = RateLimiter::keyed(quota).with_middleware();
        let here = Arc::new(LocalBuckets { limiter, max_keys: MAX_KEYS });
        Some(Self { name, burst, interval: each, local: here, remote })
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        self.name == name
    }

    /// Returns whether these are the limits of the buckets.
    pub(super) fn has_limits(&self, rate: u32, burst: u32) -> bool {
        MINUTE.checked_div(rate) == Some(self.interval) && self.burst.get() == burst
    }

    /// Removes full buckets from memory. A full bucket equals a new one.
    pub(super) fn drop_full_buckets(&self) {
        self.local.limiter.retain_recent();
        self.local.limiter.shrink_to_fit();
    }

    /// Takes a token from the bucket of this key, if it has one.
    pub async fn take(&self, key: &StoreKey) -> RateLimitDecision {
        if let Some(remote) = &self.remote {
            let response = remote.take(self.name, key, self.interval, self.burst.get()).await;
            if let Some(decision) = response {
                return decision;
            }
        }
        self.take_local(key)
    }

    fn take_local(&self, key: &StoreKey) -> RateLimitDecision {
        let limiter = &self.local.limiter;
        let key = if limiter.len() < self.local.max_keys { key } else { &SHARED_KEY };
        let limit = self.burst.get();
        match limiter.check_key(key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let full = self.interval.saturating_mul(limit.saturating_sub(remaining));
                RateLimitDecision {
                    allowed: true,
                    limit,
                    remaining,
                    retry_after: Duration::ZERO,
                    reset_after: full,
                }
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                let full =
                    wait.saturating_add(self.interval.saturating_mul(limit.saturating_sub(1)));
                RateLimitDecision {
                    allowed: false,
                    limit,
                    remaining: 0,
                    retry_after: wait,
                    reset_after: full,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(rate: u32, burst: u32, most: usize) -> TokenBuckets {
        let bucket = TokenBuckets::new("test", rate, burst, None).unwrap();
        let here = LocalBuckets {
            limiter: RateLimiter::keyed(quota(&bucket)).with_middleware(),
            max_keys: most,
        };
        TokenBuckets { local: Arc::new(here), ..bucket }
    }

    fn quota(bucket: &TokenBuckets) -> Quota {
        Quota::with_period(bucket.interval).unwrap().allow_burst(bucket.burst)
    }

    #[test]
    fn each_key_has_its_own_bucket_with_remaining_tokens() {
        let bucket = bucket(1, 3, 10);
        for key in [[1; 32], [2; 32]] {
            for remaining in [2, 1, 0] {
                let decision = bucket.take_local(&key);
                assert!(decision.allowed);
                assert_eq!((decision.limit, decision.remaining), (3, remaining));
                assert_eq!(decision.reset_after.as_secs(), u64::from(3 - remaining) * 60);
            }
            let rejected = bucket.take_local(&key);
            assert!(!rejected.allowed);
            assert!((50..=60).contains(&rejected.retry_after.as_secs()), "{rejected:?}");
            assert!((170..=180).contains(&rejected.reset_after.as_secs()), "{rejected:?}");
        }
    }

    #[test]
    fn bounds_keys_in_memory_and_drops_full_buckets() {
        let few = bucket(1, 1, 2);
        let allowed = |key: u8| few.take_local(&[key; 32]).allowed;
        assert_eq!([1, 2, 3, 4].map(allowed), [true, true, true, false], "the others share one");
        assert_eq!(few.local.limiter.len(), 3);
        let fast = bucket(u32::MAX, 1, 10);
        fast.take_local(&[1; 32]);
        while !fast.local.limiter.is_empty() {
            fast.drop_full_buckets();
        }
    }

    #[test]
    fn rate_zero_is_unlimited() {
        assert!(TokenBuckets::new("test", 0, 5, None).is_none());
    }
}

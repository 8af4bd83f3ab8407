//! Token buckets for rate limits, one for each key, in memory or in Redis.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};

use super::{Key, remote::Remote};

/// The maximum number of keys with a separate bucket in memory. Further keys share one bucket.
const MOST_KEYS: usize = 100_000;

/// The key of the shared bucket.
const CROWD: Key = [0; 32];

const MINUTE: Duration = Duration::from_mins(1);

/// The result of taking a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Whether a token was taken.
    pub allowed: bool,
    /// The number of tokens in a full bucket.
    pub limit: u32,
    /// The number of tokens left.
    pub remaining: u32,
    /// How long until a token is available. Zero if one was taken.
    pub wait: Duration,
    /// How long until the bucket is full.
    pub full: Duration,
}

/// Token buckets with the same limits, one for each key.
#[derive(Debug, Clone)]
pub struct Bucket {
    name: &'static str,
    burst: NonZeroU32,
    /// The interval at which one token is added.
    each: Duration,
    here: Arc<Here>,
    remote: Option<Arc<Remote>>,
}

/// Token buckets in the memory of this process.
#[derive(Debug)]
pub(super) struct Here {
    limiter: DefaultKeyedRateLimiter<Key, StateInformationMiddleware>,
    most: usize,
}

impl Bucket {
    pub(super) fn new(
        name: &'static str,
        rate: u32,
        burst: u32,
        remote: Option<Arc<Remote>>,
    ) -> Option<Self> {
        let each = MINUTE.checked_div(rate)?;
        let burst = NonZeroU32::new(burst)?;
        let quota = Quota::with_period(each)?.allow_burst(burst);
        let limiter = RateLimiter::keyed(quota).with_middleware();
        let here = Arc::new(Here { limiter, most: MOST_KEYS });
        Some(Self { name, burst, each, here, remote })
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name
    }

    /// Returns whether these are the limits of the buckets.
    pub(super) fn allows(&self, rate: u32, burst: u32) -> bool {
        MINUTE.checked_div(rate) == Some(self.each) && self.burst.get() == burst
    }

    /// Removes full buckets from memory. A full bucket equals a new one.
    pub(super) fn forget(&self) {
        self.here.limiter.retain_recent();
        self.here.limiter.shrink_to_fit();
    }

    /// Takes a token from the bucket of this key, if it has one.
    pub async fn take(&self, key: &Key) -> Taken {
        if let Some(remote) = &self.remote {
            let response = remote.take(self.name, key, self.each, self.burst.get()).await;
            if let Some(taken) = response {
                return taken;
            }
        }
        self.take_here(key)
    }

    fn take_here(&self, key: &Key) -> Taken {
        let limiter = &self.here.limiter;
        let key = if limiter.len() < self.here.most { key } else { &CROWD };
        let limit = self.burst.get();
        match limiter.check_key(key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let full = self.each.saturating_mul(limit.saturating_sub(remaining));
                Taken { allowed: true, limit, remaining, wait: Duration::ZERO, full }
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                let full = wait.saturating_add(self.each.saturating_mul(limit.saturating_sub(1)));
                Taken { allowed: false, limit, remaining: 0, wait, full }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(rate: u32, burst: u32, most: usize) -> Bucket {
        let bucket = Bucket::new("test", rate, burst, None).unwrap();
        let here = Here { limiter: RateLimiter::keyed(quota(&bucket)).with_middleware(), most };
        Bucket { here: Arc::new(here), ..bucket }
    }

    fn quota(bucket: &Bucket) -> Quota {
        Quota::with_period(bucket.each).unwrap().allow_burst(bucket.burst)
    }

    #[test]
    fn each_key_has_its_own_bucket_and_is_told_what_is_left() {
        let bucket = bucket(1, 3, 10);
        for key in [[1; 32], [2; 32]] {
            for remaining in [2, 1, 0] {
                let taken = bucket.take_here(&key);
                assert!(taken.allowed);
                assert_eq!((taken.limit, taken.remaining), (3, remaining));
                assert_eq!(taken.full.as_secs(), u64::from(3 - remaining) * 60);
            }
            let refused = bucket.take_here(&key);
            assert!(!refused.allowed);
            assert!((50..=60).contains(&refused.wait.as_secs()), "{refused:?}");
            assert!((170..=180).contains(&refused.full.as_secs()), "{refused:?}");
        }
    }

    #[test]
    fn keys_in_memory_are_bounded_and_full_buckets_are_dropped() {
        let few = bucket(1, 1, 2);
        let allowed = |key: u8| few.take_here(&[key; 32]).allowed;
        assert_eq!([1, 2, 3, 4].map(allowed), [true, true, true, false], "the others share one");
        assert_eq!(few.here.limiter.len(), 3);
        let fast = bucket(u32::MAX, 1, 10);
        fast.take_here(&[1; 32]);
        while !fast.here.limiter.is_empty() {
            fast.forget();
        }
    }

    #[test]
    fn a_rate_of_nothing_is_no_limit() {
        assert!(Bucket::new("test", 0, 5, None).is_none());
    }
}

//! State shared between replicas: rate limits and small values that expire.
//!
//! The state is in the memory of this process or in a Redis server that all replicas share. Calls
//! wait for Redis only until a time limit. While Redis is unavailable or slow, each replica uses
//! its own memory and writes the values to Redis later.

mod bucket;
mod error;
mod local;
mod remote;

pub use bucket::{RateLimitDecision, TokenBuckets};
pub use error::StoreError;

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use self::{local::LocalValues, remote::RedisStore};
use crate::config::{LimitSettings, StoreAddress};

/// The key of a value: a fingerprint, never a secret itself.
pub type StoreKey = [u8; 32];

/// The interval at which expired rate-limit state is removed from memory.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(10);

/// The maximum size of a value in bytes.
const MAX_VALUE_BYTES: usize = 64 * 1024;

/// Storage location of a written value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// In the configured store: Redis, or memory without Redis.
    Shared,
    /// In memory. A background task writes it to Redis and retries until it succeeds or the value
    /// expires.
    Queued,
    /// In memory only, because too many writes to Redis are pending.
    LocalOnly,
    /// Not stored: the value is larger than 64 KiB or its lifetime is zero.
    Rejected,
}

/// The result of acquiring a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseOutcome {
    /// This replica holds the lease until it expires or is released.
    Acquired,
    /// Another replica holds the lease with this value.
    HeldByOther(Vec<u8>),
    /// Unknown: Redis is unavailable or did not respond in time.
    Unknown,
}

/// The result of renewing a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenewOutcome {
    /// The value; its lifetime restarts.
    Renewed(Vec<u8>),
    /// The value does not exist or has expired.
    Missing,
    /// Unknown: Redis is unavailable, or a newer value is not written yet.
    Unknown,
}

/// The store for shared state.
#[derive(Debug)]
pub struct Store {
    buckets: Mutex<Vec<TokenBuckets>>,
    local: LocalValues,
    remote: Option<Arc<RedisStore>>,
}

impl Store {
    /// Creates a store in the memory of this process that is not shared.
    pub fn in_memory() -> Arc<Self> {
        Arc::new(Self { buckets: Mutex::default(), local: LocalValues::default(), remote: None })
    }

    /// Opens the configured store. If Redis cannot be reached, a background task keeps trying to
    /// connect until the server stops.
    ///
    /// # Errors
    ///
    /// Returns an error that names the setting if the address or the CA file is invalid.
    pub async fn open(
        limits: &LimitSettings,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, StoreError> {
        let remote = match &limits.store {
            StoreAddress::Memory => None,
            StoreAddress::Redis(url) => Some(Arc::new(RedisStore::new(url, limits)?)),
        };
        if let Some(remote) = &remote {
            remote.connect().await;
            tokio::spawn(Arc::clone(remote).keep_connected(stop.clone()));
        }
        let store =
            Arc::new(Self { buckets: Mutex::default(), local: LocalValues::default(), remote });
        tokio::spawn(Arc::clone(&store).clean_up_periodically(stop));
        Ok(store)
    }

    /// Returns token buckets with this name, one bucket for each key. A full bucket has `burst`
    /// tokens; `rate` tokens are added per minute. Returns `None` if the rate is 0, which means
    /// unlimited.
    pub fn buckets(&self, name: &'static str, rate: u32, burst: u32) -> Option<TokenBuckets> {
        let mut buckets = self.buckets.lock();
        // Buckets with unchanged limits are reused, so that a configuration reload does not reset
        // them.
        let existing = buckets.iter().position(|bucket| bucket.has_name(name));
        let existing = existing.map(|index| buckets.swap_remove(index));
        let bucket = match existing.filter(|bucket| bucket.has_limits(rate, burst)) {
            Some(bucket) => bucket,
            None => TokenBuckets::new(name, rate, burst, self.remote.clone())?,
        };
        buckets.push(bucket.clone());
        drop(buckets);
        Some(bucket)
    }

    /// Stores a value for this long and returns its storage location. Replaces an existing value.
    ///
    /// Waits for Redis no longer than its time limit (`limits.store_timeout`). If writing exceeds
    /// the limit or fails, it continues in the background. Pending writes are lost when the process
    /// ends.
    pub async fn put(
        &self,
        kind: &'static str,
        key: &StoreKey,
        value: &[u8],
        good_for: Duration,
    ) -> WriteOutcome {
        if value.len() > MAX_VALUE_BYTES || good_for.is_zero() {
            return WriteOutcome::Rejected;
        }
        // Also in memory, for reads while Redis is unavailable.
        self.local.put(kind, key, value, good_for);
        match &self.remote {
            None => WriteOutcome::Shared,
            Some(remote) => remote.put(kind, key, value, good_for).await,
        }
    }

    /// Returns a value that has not expired. Reads the memory of this process if Redis is
    /// unavailable, or was when the value was stored.
    pub async fn get(&self, kind: &'static str, key: &StoreKey) -> Option<Vec<u8>> {
        if let Some(remote) = &self.remote
            && let Some(value) = remote.get(kind, key).await
        {
            return Some(value);
        }
        self.local.get(kind, key)
    }

    /// Acquires a lease for one of the replicas that share a store. The first request
    /// wins.
    ///
    /// The value is the owner ID, which has the same length for all replicas, followed by a nonce
    /// of the attempt. A replica that already holds the lease acquires it again. If Redis does not
    /// respond, the lease is released in the background, because Redis may have granted it. Without
    /// Redis the lease is always acquired, because there are no other replicas.
    pub async fn acquire_lease(
        &self,
        kind: &'static str,
        key: &StoreKey,
        (owner, nonce): (&[u8], &[u8]),
        good_for: Duration,
    ) -> LeaseOutcome {
        match &self.remote {
            None => LeaseOutcome::Acquired,
            Some(remote) => remote.acquire_lease(kind, key, (owner, nonce), good_for).await,
        }
    }

    /// Deletes a lease or value if it still equals `value`. `good_for` is the lifetime that the
    /// value had. Waits for Redis like [`put`](Self::put).
    pub async fn release(
        &self,
        kind: &'static str,
        key: &StoreKey,
        value: &[u8],
        good_for: Duration,
    ) {
        self.local.remove(kind, key);
        if let Some(remote) = &self.remote {
            remote.release(kind, key, value, good_for).await;
        }
    }

    /// Replaces `old` by `new` for this long. Keeps any other existing value. If that exceeds
    /// the time limit of Redis or fails, it is retried in the background.
    pub async fn replace(
        &self,
        kind: &'static str,
        key: &StoreKey,
        (old, new): (&[u8], &[u8]),
        good_for: Duration,
    ) {
        self.local.put(kind, key, new, good_for);
        if let Some(remote) = &self.remote {
            remote.replace(kind, key, (old, new), good_for).await;
        }
    }

    /// Deletes a value. `good_for` is the lifetime that the value had. Waits for Redis like
    /// [`put`](Self::put).
    pub async fn remove(&self, kind: &'static str, key: &StoreKey, good_for: Duration) {
        self.local.remove(kind, key);
        if let Some(remote) = &self.remote {
            remote.remove(kind, key, good_for).await;
        }
    }

    /// Returns a value and restarts its lifetime.
    pub async fn renew(
        &self,
        kind: &'static str,
        key: &StoreKey,
        good_for: Duration,
    ) -> RenewOutcome {
        match &self.remote {
            None => match self.local.get(kind, key) {
                Some(value) => {
                    self.local.put(kind, key, &value, good_for);
                    RenewOutcome::Renewed(value)
                }
                None => RenewOutcome::Missing,
            },
            Some(remote) => remote.renew(kind, key, good_for).await,
        }
    }

    /// Returns the number of requests to Redis that failed, or were not sent because Redis was
    /// unavailable.
    pub fn failures(&self) -> u64 {
        self.remote.as_ref().map_or(0, |remote| remote.failures())
    }

    /// Returns whether Redis is configured and unavailable.
    pub fn is_unavailable(&self) -> bool {
        self.remote.as_ref().is_some_and(|remote| remote.is_unavailable())
    }

    async fn clean_up_periodically(self: Arc<Self>, stop: CancellationToken) {
        let mut round = tokio::time::interval(CLEANUP_INTERVAL);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = round.tick() => {}
            }
            let buckets = self.buckets.lock();
            for bucket in buckets.iter() {
                bucket.drop_full_buckets();
            }
        }
    }
}

//! Values that expire, in the memory of this process.

use std::time::{Duration, Instant};

use moka::{Expiry, sync::Cache};

use super::StoreKey;

/// The maximum total size in bytes, including keys. Beyond it, values are evicted.
const MAX_TOTAL_BYTES: u64 = 32 * 1024 * 1024;
/// The estimated memory of an entry in addition to its value, in bytes.
const ENTRY_OVERHEAD_BYTES: usize = 200;

/// Values that expire, in the memory of this process.
#[derive(Debug)]
pub(super) struct LocalValues {
    values: Cache<(&'static str, StoreKey), Value>,
}

#[derive(Debug, Clone)]
struct Value {
    bytes: std::sync::Arc<[u8]>,
    lifetime: Duration,
}

struct PerValueExpiry;

impl<K> Expiry<K, Value> for PerValueExpiry {
    fn expire_after_create(&self, _: &K, value: &Value, _: Instant) -> Option<Duration> {
        Some(value.lifetime)
    }

    fn expire_after_update(
        &self,
        _: &K,
        value: &Value,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(value.lifetime)
    }
}

impl Default for LocalValues {
    fn default() -> Self {
        let values = Cache::builder()
            .max_capacity(MAX_TOTAL_BYTES)
            .weigher(|_, value: &Value| {
                u32::try_from(value.bytes.len() + ENTRY_OVERHEAD_BYTES).unwrap_or(u32::MAX)
            })
            .expire_after(PerValueExpiry)
            .build();
        Self { values }
    }
}

impl LocalValues {
    pub(super) fn put(&self, kind: &'static str, key: &StoreKey, bytes: &[u8], good_for: Duration) {
        self.values.insert((kind, *key), Value { bytes: bytes.into(), lifetime: good_for });
    }

    pub(super) fn get(&self, kind: &'static str, key: &StoreKey) -> Option<Vec<u8>> {
        self.values.get(&(kind, *key)).map(|value| value.bytes.to_vec())
    }
    pub(super) fn remove(&self, kind: &'static str, key: &StoreKey) {
        self.values.invalidate(&(kind, *key));
    }
}

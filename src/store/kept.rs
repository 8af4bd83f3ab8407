//! Values that expire, in the memory of this process.

use std::time::{Duration, Instant};

use moka::{Expiry, sync::Cache};

use super::Key;

/// The maximum total size in bytes, including keys. Beyond it, values are evicted.
const MOST: u64 = 32 * 1024 * 1024;
/// The estimated memory of an entry in addition to its value, in bytes.
const OVERHEAD: usize = 200;

/// Values that expire, in the memory of this process.
#[derive(Debug)]
pub(super) struct Here {
    values: Cache<(&'static str, Key), Value>,
}

#[derive(Debug, Clone)]
struct Value {
    bytes: std::sync::Arc<[u8]>,
    good_for: Duration,
}

struct Each;

impl<K> Expiry<K, Value> for Each {
    fn expire_after_create(&self, _: &K, value: &Value, _: Instant) -> Option<Duration> {
        Some(value.good_for)
    }

    fn expire_after_update(
        &self,
        _: &K,
        value: &Value,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(value.good_for)
    }
}

impl Default for Here {
    fn default() -> Self {
        let values = Cache::builder()
            .max_capacity(MOST)
            .weigher(|_, value: &Value| {
                u32::try_from(value.bytes.len() + OVERHEAD).unwrap_or(u32::MAX)
            })
            .expire_after(Each)
            .build();
        Self { values }
    }
}

impl Here {
    pub(super) fn put(&self, kind: &'static str, key: &Key, bytes: &[u8], good_for: Duration) {
        self.values.insert((kind, *key), Value { bytes: bytes.into(), good_for });
    }

    pub(super) fn get(&self, kind: &'static str, key: &Key) -> Option<Vec<u8>> {
        self.values.get(&(kind, *key)).map(|value| value.bytes.to_vec())
    }
    pub(super) fn remove(&self, kind: &'static str, key: &Key) {
        self.values.invalidate(&(kind, *key));
    }
}

//! Limits the concurrent requests of one caller or one address.

use std::{collections::HashMap, sync::Arc};

use parking_lot::{Mutex, MutexGuard};

use crate::store::StoreKey;

/// Counts concurrent requests by key. A key without requests uses no memory.
#[derive(Debug)]
pub(super) struct KeyedLimit {
    limit: usize,
    counts: Mutex<HashMap<StoreKey, usize>>,
}

/// The permit of one request. Dropping it releases it.
#[derive(Debug)]
pub(super) struct KeyedPermit {
    limit: Arc<KeyedLimit>,
    key: StoreKey,
}

impl KeyedLimit {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, counts: Mutex::default() })
    }

    /// Returns the maximum number of concurrent requests for one key.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Returns a permit for another request with this key, or `None` at the limit.
    pub(super) fn acquire(self: &Arc<Self>, key: StoreKey) -> Option<KeyedPermit> {
        let mut counts = self.counts();
        let count = counts.entry(key).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(KeyedPermit { limit: Arc::clone(self), key })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<StoreKey, usize>> {
        self.counts.lock()
    }
}

impl Drop for KeyedPermit {
    fn drop(&mut self) {
        let mut counts = self.limit.counts();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_permits_and_removes_unused_keys() {
        let limit = KeyedLimit::new(2);
        let (one, two) = (limit.acquire([1; 32]), limit.acquire([1; 32]));
        assert!(one.is_some() && two.is_some() && limit.acquire([1; 32]).is_none());
        assert!(limit.acquire([2; 32]).is_some(), "another key has another count");
        drop(one);
        let again = limit.acquire([1; 32]);
        assert!(again.is_some());
        drop((two, again));
        assert!(limit.counts().is_empty());
    }
}

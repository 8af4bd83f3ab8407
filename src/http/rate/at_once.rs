//! How many requests of one caller are under way.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::store::Key;

/// Requests under way, by caller. Who has none takes no memory.
#[derive(Debug)]
pub(super) struct AtOnce {
    most: usize,
    counts: Mutex<HashMap<Key, usize>>,
}

/// A request that is under way, until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    all: Arc<AtOnce>,
    key: Key,
}

impl AtOnce {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, counts: Mutex::default() })
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// A place for another request of this caller, if there is one.
    pub(super) fn enter(self: &Arc<Self>, key: Key) -> Option<Place> {
        let mut counts = self.counts();
        let count = counts.entry(key).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Place { all: Arc::clone(self), key })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Key, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.all.counts();
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
    fn places_come_back_and_nothing_is_left() {
        let all = AtOnce::new(2);
        let (one, two) = (all.enter([1; 32]), all.enter([1; 32]));
        assert!(one.is_some() && two.is_some() && all.enter([1; 32]).is_none());
        assert!(all.enter([2; 32]).is_some(), "another caller is another count");
        drop(one);
        let again = all.enter([1; 32]);
        assert!(again.is_some());
        drop((two, again));
        assert!(all.counts().is_empty());
    }
}

//! Operations that could not be performed in Redis yet.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use parking_lot::{Mutex, MutexGuard};

use crate::store::StoreKey;

/// The maximum number of queued operations, and of bytes in their values.
const MAX_ENTRIES: usize = 10_000;
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// A queue of operations, oldest first. Of the operations that overwrite a key, only the newest is
/// kept.
#[derive(Debug, Default)]
pub(super) struct PendingWrites(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<PendingEntry>,
    last_number: u64,
}

/// An operation on a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PendingOperation {
    /// Set this value.
    Write(Arc<[u8]>),
    /// Delete the value.
    Remove,
    /// Delete the value if it equals this one.
    Release(Arc<[u8]>),
    /// Replace the first value by the second, unless another value exists.
    Replace(Arc<[u8]>, Arc<[u8]>),
}

/// A queued operation.
#[derive(Debug, Clone)]
pub(super) struct PendingEntry {
    number: u64,
    pub(super) kind: &'static str,
    pub(super) key: StoreKey,
    pub(super) operation: PendingOperation,
    /// When the operation becomes obsolete.
    pub(super) expires_at: Instant,
}

impl PendingOperation {
    /// Returns whether the operation determines the value regardless of the previous one.
    fn overwrites(&self) -> bool {
        !matches!(self, Self::Release(_) | Self::Replace(..))
    }

    fn len(&self) -> usize {
        match self {
            Self::Write(value) | Self::Release(value) => value.len(),
            Self::Replace(old, new) => old.len() + new.len(),
            Self::Remove => 0,
        }
    }
}

impl PendingEntry {
    fn overwrites(&self, kind: &str, key: &StoreKey) -> bool {
        self.kind == kind && self.key == *key && self.operation.overwrites()
    }
}

impl PendingWrites {
    /// Queues an operation. An overwriting operation replaces an older overwriting one of the same
    /// key. Returns whether the queue has room for it.
    pub(super) fn push(
        &self,
        kind: &'static str,
        key: &StoreKey,
        what: PendingOperation,
        until: Instant,
    ) -> bool {
        let mut queue = self.lock();
        if what.overwrites() {
            queue.entries.retain(|waiting| !waiting.overwrites(kind, key));
        }
        let bytes: usize = queue.entries.iter().map(|waiting| waiting.operation.len()).sum();
        if queue.entries.len() >= MAX_ENTRIES || bytes + what.len() > MAX_BYTES {
            return false;
        }
        queue.last_number += 1;
        let number = queue.last_number;
        queue.entries.push_back(PendingEntry {
            number,
            kind,
            key: *key,
            operation: what,
            expires_at: until,
        });
        true
    }

    /// Returns whether an overwriting operation on this key is queued.
    pub(super) fn has_overwrite(&self, kind: &str, key: &StoreKey) -> bool {
        self.lock().entries.iter().any(|waiting| waiting.overwrites(kind, key))
    }

    /// Returns whether any operation on this key is queued.
    pub(super) fn has_any(&self, kind: &str, key: &StoreKey) -> bool {
        self.lock().entries.iter().any(|waiting| waiting.kind == kind && waiting.key == *key)
    }

    /// Returns the oldest operation. It stays queued until [`PendingWrites::complete`].
    pub(super) fn front(&self) -> Option<PendingEntry> {
        self.lock().entries.front().cloned()
    }

    /// Removes a completed operation. Newer operations stay queued.
    pub(super) fn complete(&self, done: &PendingEntry) {
        self.lock().entries.retain(|waiting| waiting.number != done.number);
    }

    /// Removes the overwriting operations on this key.
    pub(super) fn cancel_overwrites(&self, kind: &str, key: &StoreKey) {
        self.lock().entries.retain(|waiting| !waiting.overwrites(kind, key));
    }

    /// Locks the queue and removes obsolete operations.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        let mut queue = self.0.lock();
        let now = Instant::now();
        queue.entries.retain(|waiting| waiting.expires_at > now);
        queue
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn hour() -> Instant {
        Instant::now() + Duration::from_hours(1)
    }

    fn write(value: &[u8]) -> PendingOperation {
        PendingOperation::Write(value.into())
    }

    #[test]
    fn keeps_newest_write_per_key_until_done_or_expired() {
        let later = PendingWrites::default();
        assert!(later.push("starter", &[1; 32], write(b"alice"), hour()));
        let old = later.front().unwrap();
        assert!(later.push("starter", &[2; 32], write(b"bob"), hour()));
        assert!(later.push("starter", &[1; 32], write(b"carol"), hour()));
        assert!(later.push("starter", &[3; 32], write(b"gone"), Instant::now()));
        assert!(
            !later.has_overwrite("starter", &[3; 32]) && !later.has_overwrite("other", &[1; 32])
        );
        later.complete(&old);
        for value in [b"bob".as_slice(), b"carol"] {
            let next = later.front().unwrap();
            assert_eq!(next.operation, write(value));
            later.complete(&next);
        }
        assert!(later.front().is_none());
    }

    #[test]
    fn releases_do_not_overwrite_and_are_not_replaced() {
        let (later, key) = (PendingWrites::default(), [1; 32]);
        let [one, two] =
            [b"one".as_slice(), b"two"].map(|value| PendingOperation::Release(value.into()));
        let all = [one.clone(), write(b"three"), two.clone(), PendingOperation::Remove];
        assert!(later.push("deed", &key, one.clone(), hour()));
        assert!(!later.has_overwrite("deed", &key));
        for what in &all[1..] {
            assert!(later.push("deed", &key, what.clone(), hour()));
        }
        assert!(later.has_overwrite("deed", &key));
        later.cancel_overwrites("deed", &key);
        assert!(!later.has_overwrite("deed", &key));
        for what in [one, two] {
            let next = later.front().unwrap();
            assert_eq!(next.operation, what);
            later.complete(&next);
        }
        assert!(later.front().is_none());
    }

    #[test]
    fn queue_is_bounded_in_entries_and_bytes() {
        let key = |number: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_le_bytes());
            key
        };
        for (most, size) in [(4, MAX_BYTES / 4), (MAX_ENTRIES, 1)] {
            let (later, value) = (PendingWrites::default(), vec![0; size]);
            let waiting = |number| PendingEntry {
                number: 0,
                kind: "starter",
                key: key(number),
                operation: write(&value),
                expires_at: hour(),
            };
            later.lock().entries.extend((1..most).map(waiting));
            assert!(later.push("starter", &key(most), write(&value), hour()));
            assert!(!later.push("starter", &key(most + 1), write(b"x"), hour()));
            assert!(
                later.push("starter", &key(most), write(&value), hour()),
                "replaces an older one"
            );
        }
    }
}

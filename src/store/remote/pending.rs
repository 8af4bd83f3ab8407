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
    /// Time at which the operation becomes obsolete.
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
    /// key. Returns `false` if the queue is full.
    pub(super) fn push(
        &self,
        kind: &'static str,
        key: &StoreKey,
        operation: PendingOperation,
        expires_at: Instant,
    ) -> bool {
        let mut queue = self.lock();
        if operation.overwrites() {
            queue.entries.retain(|queued| !queued.overwrites(kind, key));
        }
        let bytes: usize = queue.entries.iter().map(|queued| queued.operation.len()).sum();
        if queue.entries.len() >= MAX_ENTRIES || bytes + operation.len() > MAX_BYTES {
            return false;
        }
        queue.last_number += 1;
        let number = queue.last_number;
        queue.entries.push_back(PendingEntry { number, kind, key: *key, operation, expires_at });
        true
    }

    /// Returns whether an overwriting operation on this key is queued.
    pub(super) fn has_overwrite(&self, kind: &str, key: &StoreKey) -> bool {
        self.lock().entries.iter().any(|queued| queued.overwrites(kind, key))
    }

    /// Returns whether any operation on this key is queued.
    pub(super) fn has_any(&self, kind: &str, key: &StoreKey) -> bool {
        self.lock().entries.iter().any(|queued| queued.kind == kind && queued.key == *key)
    }

    /// Returns the oldest operation. It stays queued until [`PendingWrites::complete`].
    pub(super) fn front(&self) -> Option<PendingEntry> {
        self.lock().entries.front().cloned()
    }

    /// Removes a completed operation. Newer operations stay queued.
    pub(super) fn complete(&self, completed: &PendingEntry) {
        self.lock().entries.retain(|queued| queued.number != completed.number);
    }

    /// Removes the overwriting operations on this key.
    pub(super) fn cancel_overwrites(&self, kind: &str, key: &StoreKey) {
        self.lock().entries.retain(|queued| !queued.overwrites(kind, key));
    }

    /// Locks the queue and removes obsolete operations.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        let mut queue = self.0.lock();
        let now = Instant::now();
        queue.entries.retain(|queued| queued.expires_at > now);
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
        let pending = PendingWrites::default();
        assert!(pending.push("starter", &[1; 32], write(b"alice"), hour()));
        let old = pending.front().unwrap();
        assert!(pending.push("starter", &[2; 32], write(b"bob"), hour()));
        assert!(pending.push("starter", &[1; 32], write(b"carol"), hour()));
        assert!(pending.push("starter", &[3; 32], write(b"gone"), Instant::now()));
        assert!(
            !pending.has_overwrite("starter", &[3; 32])
                && !pending.has_overwrite("other", &[1; 32])
        );
        pending.complete(&old);
        for value in [b"bob".as_slice(), b"carol"] {
            let next = pending.front().unwrap();
            assert_eq!(next.operation, write(value));
            pending.complete(&next);
        }
        assert!(pending.front().is_none());
    }

    #[test]
    fn releases_do_not_overwrite_and_are_not_replaced() {
        let (pending, key) = (PendingWrites::default(), [1; 32]);
        let [one, two] =
            [b"one".as_slice(), b"two"].map(|value| PendingOperation::Release(value.into()));
        let all = [one.clone(), write(b"three"), two.clone(), PendingOperation::Remove];
        assert!(pending.push("change", &key, one.clone(), hour()));
        assert!(!pending.has_overwrite("change", &key));
        for operation in &all[1..] {
            assert!(pending.push("change", &key, operation.clone(), hour()));
        }
        assert!(pending.has_overwrite("change", &key));
        pending.cancel_overwrites("change", &key);
        assert!(!pending.has_overwrite("change", &key));
        for operation in [one, two] {
            let next = pending.front().unwrap();
            assert_eq!(next.operation, operation);
            pending.complete(&next);
        }
        assert!(pending.front().is_none());
    }

    #[test]
    fn queue_is_bounded_in_entries_and_bytes() {
        let key = |number: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_le_bytes());
            key
        };
        for (most, size) in [(4, MAX_BYTES / 4), (MAX_ENTRIES, 1)] {
            let (pending, value) = (PendingWrites::default(), vec![0; size]);
            let queued = |number| PendingEntry {
                number: 0,
                kind: "starter",
                key: key(number),
                operation: write(&value),
                expires_at: hour(),
            };
            pending.lock().entries.extend((1..most).map(queued));
            assert!(pending.push("starter", &key(most), write(&value), hour()));
            assert!(!pending.push("starter", &key(most + 1), write(b"x"), hour()));
            assert!(
                pending.push("starter", &key(most), write(&value), hour()),
                "replaces an older one"
            );
        }
    }
}

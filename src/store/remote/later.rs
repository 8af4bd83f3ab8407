//! Operations that could not be performed in Redis yet.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::super::Key;

/// The maximum number of queued operations, and of bytes in their values.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A queue of operations, oldest first. Of the operations that overwrite a key, only the newest is
/// kept.
#[derive(Debug, Default)]
pub(super) struct Later(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    count: u64,
}

/// An operation on a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// Set this value.
    Write(Arc<[u8]>),
    /// Delete the value.
    Remove,
    /// Delete the value if it equals this one.
    GiveUp(Arc<[u8]>),
    /// Replace the first value by the second, unless another value exists.
    Replace(Arc<[u8]>, Arc<[u8]>),
}

/// A queued operation.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    number: u64,
    pub(super) kind: &'static str,
    pub(super) key: Key,
    pub(super) what: What,
    /// When the operation becomes obsolete.
    pub(super) until: Instant,
}

impl What {
    /// Returns whether the operation determines the value regardless of the previous one.
    fn decides(&self) -> bool {
        !matches!(self, Self::GiveUp(_) | Self::Replace(..))
    }

    fn len(&self) -> usize {
        match self {
            Self::Write(value) | Self::GiveUp(value) => value.len(),
            Self::Replace(old, new) => old.len() + new.len(),
            Self::Remove => 0,
        }
    }
}

impl Waiting {
    fn decides(&self, kind: &str, key: &Key) -> bool {
        self.kind == kind && self.key == *key && self.what.decides()
    }
}

impl Later {
    /// Queues an operation. An overwriting operation replaces an older overwriting one of the same
    /// key. Returns whether the queue has room for it.
    pub(super) fn add(&self, kind: &'static str, key: &Key, what: What, until: Instant) -> bool {
        let mut queue = self.queue();
        if what.decides() {
            queue.waiting.retain(|waiting| !waiting.decides(kind, key));
        }
        let bytes: usize = queue.waiting.iter().map(|waiting| waiting.what.len()).sum();
        if queue.waiting.len() >= MOST || bytes + what.len() > MOST_BYTES {
            return false;
        }
        queue.count += 1;
        let number = queue.count;
        queue.waiting.push_back(Waiting { number, kind, key: *key, what, until });
        true
    }

    /// Returns whether an overwriting operation on this key is queued.
    pub(super) fn has(&self, kind: &str, key: &Key) -> bool {
        self.queue().waiting.iter().any(|waiting| waiting.decides(kind, key))
    }

    /// Returns whether any operation on this key is queued.
    pub(super) fn waits(&self, kind: &str, key: &Key) -> bool {
        self.queue().waiting.iter().any(|waiting| waiting.kind == kind && waiting.key == *key)
    }

    /// Returns the oldest operation. It stays queued until [`PendingWrites::complete`].
    pub(super) fn next(&self) -> Option<Waiting> {
        self.queue().waiting.front().cloned()
    }

    /// Removes a completed operation. Newer operations stay queued.
    pub(super) fn done(&self, done: &Waiting) {
        self.queue().waiting.retain(|waiting| waiting.number != done.number);
    }

    /// Removes the overwriting operations on this key.
    pub(super) fn remove(&self, kind: &str, key: &Key) {
        self.queue().waiting.retain(|waiting| !waiting.decides(kind, key));
    }

    /// Locks the queue and removes obsolete operations.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        queue.waiting.retain(|waiting| waiting.until > now);
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

    fn write(value: &[u8]) -> What {
        What::Write(value.into())
    }

    #[test]
    fn the_newest_value_of_each_name_waits_in_turn_until_it_is_written_or_no_longer_good() {
        let later = Later::default();
        assert!(later.add("starter", &[1; 32], write(b"alice"), hour()));
        let old = later.next().unwrap();
        assert!(later.add("starter", &[2; 32], write(b"bob"), hour()));
        assert!(later.add("starter", &[1; 32], write(b"carol"), hour()));
        assert!(later.add("starter", &[3; 32], write(b"gone"), Instant::now()));
        assert!(!later.has("starter", &[3; 32]) && !later.has("other", &[1; 32]));
        later.done(&old);
        for value in [b"bob".as_slice(), b"carol"] {
            let next = later.next().unwrap();
            assert_eq!(next.what, write(value));
            later.done(&next);
        }
        assert!(later.next().is_none());
    }

    #[test]
    fn what_is_given_up_decides_nothing_and_no_newer_value_takes_its_place() {
        let (later, key) = (Later::default(), [1; 32]);
        let [one, two] = [b"one".as_slice(), b"two"].map(|value| What::GiveUp(value.into()));
        let all = [one.clone(), write(b"three"), two.clone(), What::Remove];
        assert!(later.add("deed", &key, one.clone(), hour()));
        assert!(!later.has("deed", &key));
        for what in &all[1..] {
            assert!(later.add("deed", &key, what.clone(), hour()));
        }
        assert!(later.has("deed", &key));
        later.remove("deed", &key);
        assert!(!later.has("deed", &key));
        for what in [one, two] {
            let next = later.next().unwrap();
            assert_eq!(next.what, what);
            later.done(&next);
        }
        assert!(later.next().is_none());
    }

    #[test]
    fn what_waits_is_bounded_in_number_and_size() {
        let key = |number: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_le_bytes());
            key
        };
        for (most, size) in [(4, MOST_BYTES / 4), (MOST, 1)] {
            let (later, value) = (Later::default(), vec![0; size]);
            let waiting = |number| Waiting {
                number: 0,
                kind: "starter",
                key: key(number),
                what: write(&value),
                until: hour(),
            };
            later.queue().waiting.extend((1..most).map(waiting));
            assert!(later.add("starter", &key(most), write(&value), hour()));
            assert!(!later.add("starter", &key(most + 1), write(b"x"), hour()));
            assert!(
                later.add("starter", &key(most), write(&value), hour()),
                "replaces an older one"
            );
        }
    }
}

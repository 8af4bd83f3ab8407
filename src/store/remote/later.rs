//! What could not be written to the store that replicas share, until it can be.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::super::Key;

/// How many values wait at most, and how many bytes of them.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Values that wait to be written, the oldest first, and of each name the newest alone.
#[derive(Debug, Default)]
pub(super) struct Later(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    count: u64,
}

/// A value that waits.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    number: u64,
    pub(super) kind: &'static str,
    pub(super) key: Key,
    pub(super) value: Arc<[u8]>,
    /// Until when it is good.
    pub(super) until: Instant,
}

impl Waiting {
    fn is_called(&self, kind: &str, key: &Key) -> bool {
        self.kind == kind && self.key == *key
    }
}

impl Later {
    /// Lets a value wait, in place of an older one of its name. Whether there was room for it.
    pub(super) fn add(&self, kind: &'static str, key: &Key, value: &[u8], until: Instant) -> bool {
        let mut queue = self.queue();
        queue.waiting.retain(|waiting| !waiting.is_called(kind, key));
        let bytes: usize = queue.waiting.iter().map(|waiting| waiting.value.len()).sum();
        if queue.waiting.len() >= MOST || bytes + value.len() > MOST_BYTES {
            return false;
        }
        queue.count += 1;
        let number = queue.count;
        queue.waiting.push_back(Waiting { number, kind, key: *key, value: value.into(), until });
        true
    }

    /// Whether a value of this name waits.
    pub(super) fn has(&self, kind: &str, key: &Key) -> bool {
        self.queue().waiting.iter().any(|waiting| waiting.is_called(kind, key))
    }

    /// The value whose turn it is. It waits on until it is said to be written.
    pub(super) fn next(&self) -> Option<Waiting> {
        self.queue().waiting.front().cloned()
    }

    /// Says that a value was written. A newer one of its name waits on.
    pub(super) fn written(&self, written: &Waiting) {
        self.queue().waiting.retain(|waiting| waiting.number != written.number);
    }

    /// Lets no value of this name wait any more.
    pub(super) fn remove(&self, kind: &str, key: &Key) {
        self.queue().waiting.retain(|waiting| !waiting.is_called(kind, key));
    }

    /// The queue, without what is not good any more.
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

    #[test]
    fn the_newest_value_of_each_name_waits_in_turn_until_it_is_written_or_no_longer_good() {
        let later = Later::default();
        assert!(later.add("starter", &[1; 32], b"alice", hour()));
        let old = later.next().unwrap();
        assert!(later.add("starter", &[2; 32], b"bob", hour()));
        assert!(later.add("starter", &[1; 32], b"carol", hour()));
        assert!(later.add("starter", &[3; 32], b"gone", Instant::now()));
        assert!(!later.has("starter", &[3; 32]) && !later.has("other", &[1; 32]));
        later.written(&old);
        for value in [b"bob".as_slice(), b"carol"] {
            let next = later.next().unwrap();
            assert_eq!(&*next.value, value);
            later.written(&next);
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
                value: value.as_slice().into(),
                until: hour(),
            };
            later.queue().waiting.extend((1..most).map(waiting));
            assert!(later.add("starter", &key(most), &value, hour()));
            assert!(!later.add("starter", &key(most + 1), b"x", hour()));
            assert!(later.add("starter", &key(most), &value, hour()), "in place of an older one");
        }
    }
}

//! What was not kept.

use std::sync::atomic::{AtomicU64, Ordering};

/// What was not kept, counted.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Records that found no place in the queue, and that no record has told of yet.
    untold: AtomicU64,
    lost: AtomicU64,
    failures: AtomicU64,
}

impl Losses {
    /// A record found no place.
    pub(super) fn lose(&self) {
        self.untold.fetch_add(1, Ordering::Relaxed);
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// A place for records did not take one.
    pub(super) fn fail(&self, times: u64) {
        self.failures.fetch_add(times, Ordering::Relaxed);
    }

    /// How many were lost that no record has told of, which the next one does.
    pub(super) fn tell(&self) -> u64 {
        self.untold.swap(0, Ordering::Relaxed)
    }

    /// How many records found no place since the start.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// How often a place for records did not take one since the start.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

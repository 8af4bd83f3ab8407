//! Counters of lost records and failed writes.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts lost records and failed writes.
#[derive(Debug, Default)]
pub(super) struct LossCounters {
    /// Records lost because the queue was full, and not yet reported in a later record.
    unreported: AtomicU64,
    lost: AtomicU64,
    failures: AtomicU64,
}

impl LossCounters {
    /// Counts a record that was lost because the queue was full.
    pub(super) fn count_lost_record(&self) {
        self.unreported.fetch_add(1, Ordering::Relaxed);
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts failed writes to an output.
    pub(super) fn count_failures(&self, times: u64) {
        self.failures.fetch_add(times, Ordering::Relaxed);
    }

    /// Returns the number of lost records that no record has reported yet, and resets it. The
    /// caller reports them in the next record.
    pub(super) fn take_unreported(&self) -> u64 {
        self.unreported.swap(0, Ordering::Relaxed)
    }

    /// Returns the number of records lost since the start because the queue was full.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Returns the number of failed writes to an output since the start.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

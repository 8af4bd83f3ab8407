//! Rate limit for records of rejected requests: the first in each window are recorded, the others
//! are counted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use moka::sync::Cache;
use parking_lot::Mutex;

use super::AuditCaller;

/// Limits the records of rejected requests, so that they cannot displace other records.
#[derive(Debug, Default)]
pub(super) struct RejectionSampler(Mutex<SampleWindow>);

/// A separate limit for each authenticated caller.
#[derive(Debug)]
pub(super) struct CallerSamplers(Cache<[String; 3], Arc<RejectionSampler>>);

/// The maximum number of callers with a separate limit.
const MAX_CALLERS: u64 = 10_000;

#[derive(Debug, Default)]
struct SampleWindow {
    started_at: Option<Instant>,
    recorded: usize,
    /// The number of rejections without a record since the last one with a record.
    skipped: usize,
}

/// The length of a window.
const WINDOW: Duration = Duration::from_mins(1);
/// The number of records in a window.
const RECORDS_PER_WINDOW: usize = 60;

impl Default for CallerSamplers {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_CALLERS).time_to_idle(WINDOW * 2).build())
    }
}

impl CallerSamplers {
    /// Returns whether this rejection of the caller gets a record: `Some` with the number of
    /// rejections without a record before it, or `None`.
    pub(super) fn admit(&self, caller: &AuditCaller) -> Option<usize> {
        let issuer = caller.issuer.clone().unwrap_or_default();
        let key = [caller.auth_method.to_owned(), issuer, caller.subject.clone()];
        self.0.get_with(key, Arc::default).admit()
    }
}

impl RejectionSampler {
    /// Returns whether this rejection gets a record: `Some` with the number of rejections without a
    /// record before it, or `None`.
    pub(super) fn admit(&self) -> Option<usize> {
        let mut window = self.0.lock();
        if window.started_at.is_none_or(|started_at| started_at.elapsed() >= WINDOW) {
            (window.started_at, window.recorded) = (Some(Instant::now()), 0);
        }
        if window.recorded == RECORDS_PER_WINDOW {
            window.skipped = window.skipped.saturating_add(1);
            return None;
        }
        window.recorded += 1;
        Some(std::mem::take(&mut window.skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_records_per_window_and_counts_the_rest() {
        let budget = RejectionSampler::default();
        assert_eq!((0..1000).filter_map(|_| budget.admit()).count(), RECORDS_PER_WINDOW);
        budget.0.lock().started_at = None;
        assert_eq!(budget.admit(), Some(1000 - RECORDS_PER_WINDOW));
        assert_eq!(budget.admit(), Some(0));
    }
}

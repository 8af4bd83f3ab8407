//! Rate limit for records of rejected requests: some get a record, the others are counted.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use moka::sync::Cache;

use super::Caller;

/// Limits the records of rejected requests, so that they cannot displace other records.
#[derive(Debug, Default)]
pub(super) struct Budget(Mutex<Window>);

/// A separate limit for each authenticated caller.
#[derive(Debug)]
pub(super) struct Budgets(Cache<[String; 3], Arc<Budget>>);

/// The maximum number of callers with a separate limit.
const CALLERS: u64 = 10_000;

#[derive(Debug, Default)]
struct Window {
    began: Option<Instant>,
    recorded: usize,
    /// The number of rejections without a record since the last one with a record.
    others: usize,
}

/// The length of a window.
const WINDOW: Duration = Duration::from_mins(1);
/// The number of records in a window.
const RECORDED: usize = 60;

impl Default for Budgets {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(CALLERS).time_to_idle(WINDOW * 2).build())
    }
}

impl Budgets {
    /// Returns whether this rejection of the caller gets a record: `Some` with the number of
    /// rejections without a record before it, or `None`.
    pub(super) fn admit(&self, caller: &Caller) -> Option<usize> {
        let issuer = caller.issuer.clone().unwrap_or_default();
        let key = [caller.way.to_owned(), issuer, caller.subject.clone()];
        self.0.get_with(key, Arc::default).admit()
    }
}

impl Budget {
    /// Returns whether this rejection gets a record: `Some` with the number of rejections without a
    /// record before it, or `None`.
    pub(super) fn admit(&self) -> Option<usize> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.began.is_none_or(|began| began.elapsed() >= WINDOW) {
            (window.began, window.recorded) = (Some(Instant::now()), 0);
        }
        if window.recorded == RECORDED {
            window.others = window.others.saturating_add(1);
            return None;
        }
        window.recorded += 1;
        Some(std::mem::take(&mut window.others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_has_so_many_records_and_then_a_count() {
        let budget = Budget::default();
        assert_eq!((0..1000).filter_map(|_| budget.admit()).count(), RECORDED);
        budget.0.lock().unwrap().began = None;
        assert_eq!(budget.admit(), Some(1000 - RECORDED));
        assert_eq!(budget.admit(), Some(0));
    }
}

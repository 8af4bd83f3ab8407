//! Requests that were refused: a record for some of them, a count for the rest.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use moka::sync::Cache;

use super::Caller;

/// Lets some of what was refused into the records, so that it cannot push out the rest.
#[derive(Debug, Default)]
pub(super) struct Budget(Mutex<Window>);

/// A budget for each caller who has proved who they are.
#[derive(Debug)]
pub(super) struct Budgets(Cache<[String; 3], Arc<Budget>>);

/// How many callers have one.
const CALLERS: u64 = 10_000;

#[derive(Debug, Default)]
struct Window {
    began: Option<Instant>,
    recorded: usize,
    /// How many had no record since the last one that had.
    others: usize,
}

/// How long a window is.
const WINDOW: Duration = Duration::from_mins(1);
/// How many of a window have a record.
const RECORDED: usize = 60;

impl Default for Budgets {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(CALLERS).time_to_idle(WINDOW * 2).build())
    }
}

impl Budgets {
    /// Whether this one of the caller has a record, and how many before it had none.
    pub(super) fn admit(&self, caller: &Caller) -> Option<usize> {
        let issuer = caller.issuer.clone().unwrap_or_default();
        let whose = [caller.way.to_owned(), issuer, caller.subject.clone()];
        self.0.get_with(whose, Arc::default).admit()
    }
}

impl Budget {
    /// Whether this one has a record, and how many before it had none.
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

//! Requests of nobody: a record for some of them, a count for the rest.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Lets some of what nobody vouches for into the records, so that it cannot push out the rest.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<Window>);

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

impl Strangers {
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
        let strangers = Strangers::default();
        assert_eq!((0..1000).filter_map(|_| strangers.admit()).count(), RECORDED);
        strangers.0.lock().unwrap().began = None;
        assert_eq!(strangers.admit(), Some(1000 - RECORDED));
        assert_eq!(strangers.admit(), Some(0));
    }
}

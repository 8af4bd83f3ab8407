//! Step counter for algorithms that must run in linear time, so that tests can check it without a
//! clock.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Adds `steps` units of work to the counter of this thread. Does nothing outside of tests.
#[inline]
pub(crate) fn add(steps: usize) {
    #[cfg(test)]
    STEPS.set(STEPS.get() + steps);
    #[cfg(not(test))]
    let _ = steps;
}

/// Runs `work` and returns its result and the number of counted steps.
#[cfg(test)]
pub(crate) fn count<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = STEPS.get();
    let result = work();
    (result, STEPS.get() - before)
}

//! The breaker of an instance: calls to one that does not answer are refused at once for a while,
//! and then one of them tries.
//!
//! Requests in a row count, not a share of them, and what one caller's requests come to holds up
//! that caller alone, until a request of another gets no answer either: one may ask for what takes
//! Octopus too long. Nothing that answers is a failure, whatever it answers.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::Fingerprint;

/// The breaker of one instance.
#[derive(Debug)]
pub(super) struct Breaker {
    /// How many in a row; 0 for never.
    after: u32,
    pause: Duration,
    state: Mutex<State>,
}

/// The requests without an answer since the last one with an answer.
#[derive(Debug, Default)]
struct State {
    failures: u32,
    whose: Whose,
    /// Until when calls are refused, once there were enough failures.
    until: Option<Instant>,
    /// Whether one is trying now.
    trying: bool,
}

/// Whose requests had no answer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Whose {
    #[default]
    Nobodys,
    Ones(Fingerprint),
    Several,
}

/// Leave to send one request. Dropped without a word about how it went, it counts for nothing.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    whose: Fingerprint,
    tries: bool,
}

/// What is said of the end of a pause that is over while somebody still tries.
const MOMENT: Duration = Duration::from_secs(1);

impl Breaker {
    pub(super) fn new(after: u32, pause: Duration) -> Self {
        Self { after, pause, state: Mutex::default() }
    }

    /// For how long a request of this caller would be refused now.
    pub(super) fn refuses(&self, whose: Fingerprint) -> Option<Duration> {
        self.locked().refuses(whose, Instant::now())
    }

    /// Whether requests of everybody are refused now.
    pub(super) fn refuses_all(&self) -> bool {
        let state = self.locked();
        state.whose == Whose::Several && state.until.is_some_and(|until| until > Instant::now())
    }

    /// Lets a request of this caller through, or says for how long none is.
    pub(super) fn enter(&self, whose: Fingerprint) -> Result<Pass<'_>, Duration> {
        self.enter_at(whose, Instant::now())
    }

    fn enter_at(&self, whose: Fingerprint, now: Instant) -> Result<Pass<'_>, Duration> {
        let mut state = self.locked();
        if let Some(wait) = state.refuses(whose, now) {
            return Err(wait);
        }
        let tries = state.concerns(whose);
        state.trying |= tries;
        Ok(Pass { breaker: self, whose, tries })
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether calls are held up, and this caller's among them.
    fn concerns(&self, whose: Fingerprint) -> bool {
        self.until.is_some() && self.whose.with(whose) == self.whose
    }

    fn refuses(&self, whose: Fingerprint, now: Instant) -> Option<Duration> {
        let until = self.until.filter(|_| self.concerns(whose))?;
        match until.checked_duration_since(now) {
            Some(wait) if !wait.is_zero() => Some(wait),
            _ => self.trying.then_some(MOMENT),
        }
    }
}

impl Whose {
    fn with(self, whose: Fingerprint) -> Self {
        match self {
            Self::Nobodys => Self::Ones(whose),
            Self::Ones(one) if one == whose => self,
            Self::Ones(_) | Self::Several => Self::Several,
        }
    }
}

impl Pass<'_> {
    /// There was an answer: all is well.
    pub(super) fn answered(mut self) {
        self.tries = false;
        *self.breaker.locked() = State::default();
    }

    /// There was none.
    pub(super) fn failed(self) {
        self.failed_at(Instant::now());
    }

    fn failed_at(mut self, now: Instant) {
        let tried = std::mem::take(&mut self.tries);
        let mut state = self.breaker.locked();
        state.failures = state.failures.saturating_add(1);
        state.whose = state.whose.with(self.whose);
        if tried {
            state.trying = false;
        }
        let enough = self.breaker.after > 0 && state.failures >= self.breaker.after;
        // What was sent before the pause began does not make it longer.
        if tried || (enough && state.until.is_none()) {
            state.until = Some(now + self.breaker.pause);
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.tries {
            self.breaker.locked().trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);

    fn caller(name: &str) -> Fingerprint {
        Fingerprint::of([name.as_bytes()])
    }

    fn fails(breaker: &Breaker, name: &str, now: Instant) {
        breaker.enter_at(caller(name), now).unwrap().failed_at(now);
    }

    fn is_let_in(breaker: &Breaker, name: &str, now: Instant) -> bool {
        breaker.enter_at(caller(name), now).is_ok()
    }

    #[test]
    fn it_opens_after_so_many_in_a_row_and_an_answer_begins_the_row_anew() {
        let (breaker, now) = (Breaker::new(3, PAUSE), Instant::now());
        for _ in 0..5 {
            fails(&breaker, "a", now);
            fails(&breaker, "b", now);
            breaker.enter_at(caller("a"), now).unwrap().answered();
        }
        for name in ["a", "b", "a"] {
            fails(&breaker, name, now);
        }
        assert_eq!(breaker.enter_at(caller("c"), now).unwrap_err(), PAUSE);
        assert_eq!(breaker.enter_at(caller("c"), now + PAUSE / 2).unwrap_err(), PAUSE / 2);
    }

    #[test]
    fn what_one_caller_asks_for_in_vain_holds_up_that_caller_alone() {
        let (breaker, now) = (Breaker::new(2, PAUSE), Instant::now());
        fails(&breaker, "a", now);
        fails(&breaker, "a", now);
        assert!(!is_let_in(&breaker, "a", now));
        assert!(is_let_in(&breaker, "b", now));
        // The other gets no answer either, so it is not the one caller.
        fails(&breaker, "b", now);
        assert!(!is_let_in(&breaker, "b", now) && !is_let_in(&breaker, "c", now));
    }

    #[test]
    fn after_the_pause_one_tries_and_the_others_wait_for_what_comes_of_it() {
        let (breaker, now) = (Breaker::new(2, PAUSE), Instant::now());
        fails(&breaker, "a", now);
        fails(&breaker, "b", now);
        let later = now + PAUSE;
        let tries = breaker.enter_at(caller("a"), later).unwrap();
        assert_eq!(breaker.enter_at(caller("b"), later).unwrap_err(), MOMENT);
        tries.failed_at(later);
        assert_eq!(breaker.enter_at(caller("b"), later).unwrap_err(), PAUSE);
        let tries = breaker.enter_at(caller("b"), later + PAUSE).unwrap();
        tries.answered();
        assert!(is_let_in(&breaker, "a", later + PAUSE));
        fails(&breaker, "a", later + PAUSE);
        assert!(is_let_in(&breaker, "b", later + PAUSE), "the row began anew");
    }

    #[test]
    fn one_who_gives_up_trying_leaves_the_try_to_the_next() {
        let (breaker, now) = (Breaker::new(1, PAUSE), Instant::now());
        fails(&breaker, "a", now);
        fails(&breaker, "b", now);
        let later = now + PAUSE;
        drop(breaker.enter_at(caller("a"), later).unwrap());
        assert!(is_let_in(&breaker, "b", later));
    }

    #[test]
    fn what_was_sent_before_the_pause_makes_it_no_longer() {
        let (breaker, now) = (Breaker::new(2, PAUSE), Instant::now());
        let late: Vec<_> = (0..8).map(|_| breaker.enter_at(caller("a"), now).unwrap()).collect();
        fails(&breaker, "a", now);
        fails(&breaker, "b", now);
        for pass in late {
            pass.failed_at(now + PAUSE / 2);
        }
        assert_eq!(breaker.refuses(caller("b")).map(|wait| wait <= PAUSE), Some(true));
        assert!(is_let_in(&breaker, "b", now + PAUSE));
    }

    #[test]
    fn none_in_a_row_means_never() {
        let (breaker, now) = (Breaker::new(0, PAUSE), Instant::now());
        for name in ["a", "b"].repeat(20) {
            fails(&breaker, name, now);
        }
        assert!(is_let_in(&breaker, "a", now));
    }
}

//! Consecutive failures and the pause that follows them.

use std::time::{Duration, Instant};

use crate::octopus::client::credentials::Fingerprint;

/// The requests without a response since the last response.
#[derive(Debug, Default)]
pub(super) struct FailureStreak {
    failures: u32,
    senders: Senders,
    /// End of the pause, once enough requests failed.
    paused_until: Option<Instant>,
    /// Whether a trial request is in flight.
    has_trial: bool,
}

/// The senders of the failed requests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Senders {
    #[default]
    None,
    One(Fingerprint),
    Several,
}

/// Wait that is reported while a trial request is in flight.
pub(super) const TRIAL_WAIT: Duration = Duration::from_secs(1);

impl FailureStreak {
    /// Returns the remaining pause for all senders, if any.
    pub(super) fn pause_for_all(&self, now: Instant) -> Option<Duration> {
        (self.senders == Senders::Several).then(|| self.remaining_pause(now)).flatten()
    }

    /// Returns the remaining pause for this sender, if any.
    pub(super) fn pause_for(&self, sender: Fingerprint, now: Instant) -> Option<Duration> {
        if !self.applies_to(sender) {
            return None;
        }
        self.remaining_pause(now).or_else(|| self.has_trial.then_some(TRIAL_WAIT))
    }

    /// Admits a request; returns whether it is the trial after a pause. The error is the remaining
    /// pause.
    pub(super) fn acquire(&mut self, sender: Fingerprint, now: Instant) -> Result<bool, Duration> {
        if let Some(wait) = self.pause_for(sender, now) {
            return Err(wait);
        }
        let is_trial = self.applies_to(sender);
        self.has_trial |= is_trial;
        Ok(is_trial)
    }

    /// Records a failure. `after` failures start a pause of length `pause`; 0 disables pauses.
    pub(super) fn record_failure(
        &mut self,
        sender: Fingerprint,
        was_trial: bool,
        (after, pause): (u32, Duration),
        now: Instant,
    ) {
        self.failures = self.failures.saturating_add(1);
        self.senders = self.senders.with(sender);
        if was_trial {
            self.has_trial = false;
        }
        let is_enough = after > 0 && self.failures >= after;
        // A request that was sent before the pause does not extend it.
        if was_trial || (is_enough && self.paused_until.is_none()) {
            self.paused_until = Some(now + pause);
        }
    }

    /// Records that the trial ended without an outcome, so the next request becomes the trial.
    pub(super) fn give_up_trial(&mut self) {
        self.has_trial = false;
    }

    /// Returns whether a pause applies to this sender.
    fn applies_to(&self, sender: Fingerprint) -> bool {
        self.paused_until.is_some() && self.senders.with(sender) == self.senders
    }

    fn remaining_pause(&self, now: Instant) -> Option<Duration> {
        let left = self.paused_until?.checked_duration_since(now)?;
        (!left.is_zero()).then_some(left)
    }
}

impl Senders {
    fn with(self, sender: Fingerprint) -> Self {
        match self {
            Self::None => Self::One(sender),
            Self::One(one) if one == sender => self,
            Self::One(_) | Self::Several => Self::Several,
        }
    }
}

//! Consecutive failures and the pause that follows them.

use std::time::{Duration, Instant};

use crate::octopus::Fingerprint;

/// The requests without a response since the last response.
#[derive(Debug, Default)]
pub(super) struct Row {
    failures: u32,
    senders: Senders,
    /// End of the pause, once enough requests failed.
    until: Option<Instant>,
    /// Whether a trial request is in flight.
    is_tried: bool,
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

impl Row {
    /// Returns how long requests of every sender are rejected.
    pub(super) fn pauses_all(&self, now: Instant) -> Option<Duration> {
        (self.senders == Senders::Several).then(|| self.pause_left(now)).flatten()
    }

    /// Returns how long requests of this sender are rejected.
    pub(super) fn refuses(&self, sender: Fingerprint, now: Instant) -> Option<Duration> {
        if !self.concerns(sender) {
            return None;
        }
        self.pause_left(now).or_else(|| self.is_tried.then_some(TRIAL_WAIT))
    }

    /// Admits a request; returns whether it is the trial after a pause. The error is the time to
    /// wait.
    pub(super) fn enter(&mut self, sender: Fingerprint, now: Instant) -> Result<bool, Duration> {
        if let Some(wait) = self.refuses(sender, now) {
            return Err(wait);
        }
        let is_trial = self.concerns(sender);
        self.is_tried |= is_trial;
        Ok(is_trial)
    }

    /// Records a failure. `after` failures start a pause of length `pause`; 0 disables pauses.
    pub(super) fn failed(
        &mut self,
        sender: Fingerprint,
        was_trial: bool,
        (after, pause): (u32, Duration),
        now: Instant,
    ) {
        self.failures = self.failures.saturating_add(1);
        self.senders = self.senders.with(sender);
        if was_trial {
            self.is_tried = false;
        }
        let is_enough = after > 0 && self.failures >= after;
        // A request that was sent before the pause does not extend it.
        if was_trial || (is_enough && self.until.is_none()) {
            self.until = Some(now + pause);
        }
    }

    /// Records that the trial ended without an outcome, so the next request becomes the trial.
    pub(super) fn give_up_trial(&mut self) {
        self.is_tried = false;
    }

    /// Returns whether a pause applies to this sender.
    fn concerns(&self, sender: Fingerprint) -> bool {
        self.until.is_some() && self.senders.with(sender) == self.senders
    }

    fn pause_left(&self, now: Instant) -> Option<Duration> {
        let left = self.until?.checked_duration_since(now)?;
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

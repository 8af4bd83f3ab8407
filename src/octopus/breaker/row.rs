//! Consecutive failures, and the pause that follows enough of them.

use std::time::{Duration, Instant};

use crate::octopus::Fingerprint;

/// The requests without a response since the last request with one.
#[derive(Debug, Default)]
pub(super) struct Row {
    failures: u32,
    senders: Senders,
    /// Until when requests are refused, once there were enough failures.
    until: Option<Instant>,
    /// Whether a trial is under way.
    is_tried: bool,
}

/// Whose requests failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Senders {
    #[default]
    None,
    One(Fingerprint),
    Several,
}

/// The wait that is reported after the pause, while a trial is under way.
pub(super) const TRIAL_WAIT: Duration = Duration::from_secs(1);

impl Row {
    /// For how long requests of every sender are refused.
    pub(super) fn pauses_all(&self, now: Instant) -> Option<Duration> {
        (self.senders == Senders::Several).then(|| self.pause_left(now)).flatten()
    }

    /// For how long requests of this sender are refused.
    pub(super) fn refuses(&self, sender: Fingerprint, now: Instant) -> Option<Duration> {
        if !self.concerns(sender) {
            return None;
        }
        self.pause_left(now).or_else(|| self.is_tried.then_some(TRIAL_WAIT))
    }

    /// Lets a request through; returns whether it is the trial after a pause.
    pub(super) fn enter(&mut self, sender: Fingerprint, now: Instant) -> Result<bool, Duration> {
        if let Some(wait) = self.refuses(sender, now) {
            return Err(wait);
        }
        let is_trial = self.concerns(sender);
        self.is_tried |= is_trial;
        Ok(is_trial)
    }

    /// Records a failure. `limits`: how many failures begin a pause (0: none), and its length.
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
        // A request that was sent before the pause began does not make it longer.
        if was_trial || (is_enough && self.until.is_none()) {
            self.until = Some(now + pause);
        }
    }

    /// Records that the trial ended without an outcome, so that the next request is the trial.
    pub(super) fn give_up_trial(&mut self) {
        self.is_tried = false;
    }

    /// Whether there is a pause that concerns this sender.
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

//! Circuit breaker of an instance. After several consecutive requests without a response, it
//! rejects requests for a pause, then admits one trial request.
//!
//! # Proven and unproven senders
//!
//! Anyone can invent an Octopus credential. So failures of a sender may block other callers only
//! if the sender is *proven*: the instance accepted its credential within the last hour, or the
//! operator configured the credential ([`Requester::is_configured`]). Proven senders share one
//! [`FailureStreak`]. It blocks a single sender until requests of a second proven sender fail too.
//! Each unproven sender has its own streak, which blocks no other sender.
//!
//! # Failures
//!
//! A failure is a request without a response, or a response of 502, 503 or 504 from a proxy.
//! Requests that were never sent do not count. Any other response to a proven sender clears
//! the shared streak. A response to an unproven sender clears only that sender's streak. An
//! instance without a database connection can still answer invented credentials with 401, and these
//! responses must not keep the breaker closed for other callers.
//!
//! While the shared streak pauses, unproven senders are rejected like all others. After the pause
//! they may send again, within their share of the concurrency limit, but never as the trial. A new
//! sender needs a response to become proven, and an attacker must not block the trial of proven
//! senders.

mod failure_streak;
#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use moka::sync::Cache;
use parking_lot::{Mutex, MutexGuard};

use self::failure_streak::FailureStreak;
use super::credentials::Fingerprint;

/// Maximum number of stored proven senders, and of streaks of unproven senders.
const MAX_SENDERS: u64 = 10_000;
/// Time for which a sender stays proven after its credential was last accepted. It is longer than
/// most outages, so senders that used the instance before an outage remain proven during it.
const PROVEN_TTL: Duration = Duration::from_hours(1);
/// Idle time after which the streak of an unproven sender is removed.
const OWN_STREAK_TTL: Duration = Duration::from_mins(10);

/// The sender of a request: a caller and the credential that acts for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::octopus) struct Requester {
    /// Identifies the caller and the credential.
    pub(in crate::octopus) fingerprint: Fingerprint,
    /// Whether the operator chose the credential: configured, of a group, or exchanged. Such a
    /// credential is always proven, because a caller cannot invent it.
    pub(in crate::octopus) is_configured: bool,
}

/// Verdict of a response on the credential of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::octopus) enum CredentialVerdict {
    /// The instance accepted it: the response requires a valid credential.
    Accepted,
    /// The instance rejected it (401).
    Rejected,
    /// The response shows nothing about it.
    Unknown,
}

/// The circuit breaker of one instance.
#[derive(Debug)]
pub(in crate::octopus) struct Breaker {
    /// Number of consecutive failures that open the breaker; 0 disables it.
    failure_threshold: u32,
    pause: Duration,
    /// The streak of all proven senders.
    shared_streak: Mutex<FailureStreak>,
    /// The streaks of unproven senders, one for each sender.
    own_streaks: Cache<Fingerprint, Arc<Mutex<FailureStreak>>>,
    /// Senders with a credential that the instance accepted.
    proven: Cache<Fingerprint, ()>,
}

/// Permission to send one request. Dropping it without an outcome records nothing.
#[derive(Debug)]
pub(in crate::octopus) struct BreakerPermit<'a> {
    breaker: &'a Breaker,
    requester: Requester,
    is_proven: bool,
    is_trial: bool,
}

impl Breaker {
    /// Creates a breaker that opens for `pause` after `failure_threshold` consecutive failures (0:
    /// never).
    pub(in crate::octopus) fn new(failure_threshold: u32, pause: Duration) -> Self {
        Self {
            failure_threshold,
            pause,
            shared_streak: Mutex::default(),
            own_streaks: Cache::builder()
                .max_capacity(MAX_SENDERS)
                .time_to_idle(OWN_STREAK_TTL)
                .build(),
            proven: Cache::builder().max_capacity(MAX_SENDERS).time_to_live(PROVEN_TTL).build(),
        }
    }

    /// Returns whether failures of this sender may block others.
    pub(in crate::octopus) fn is_proven(&self, requester: Requester) -> bool {
        requester.is_configured || self.proven.contains_key(&requester.fingerprint)
    }

    /// Returns the remaining pause for this sender; `None` if its requests are admitted.
    pub(in crate::octopus) fn remaining_pause(&self, requester: Requester) -> Option<Duration> {
        self.remaining_pause_at(requester, self.is_proven(requester), Instant::now())
    }

    fn remaining_pause_at(
        &self,
        sender: Requester,
        is_proven: bool,
        now: Instant,
    ) -> Option<Duration> {
        if is_proven {
            return self.lock_shared().pause_for(sender.fingerprint, now);
        }
        let all = self.lock_shared().pause_for_all(now);
        all.or_else(|| {
            let own = self.own_streaks.get(&sender.fingerprint)?;
            lock(&own).pause_for(sender.fingerprint, now)
        })
    }

    /// Returns whether requests of all senders are rejected now.
    pub(in crate::octopus) fn is_open_for_all(&self) -> bool {
        self.lock_shared().pause_for_all(Instant::now()).is_some()
    }

    /// Admits a request of this sender. The error is the time for which it is rejected.
    pub(in crate::octopus) fn acquire(
        &self,
        requester: Requester,
    ) -> Result<BreakerPermit<'_>, Duration> {
        self.acquire_at(requester, Instant::now())
    }

    fn acquire_at(
        &self,
        requester: Requester,
        now: Instant,
    ) -> Result<BreakerPermit<'_>, Duration> {
        let is_proven = self.is_proven(requester);
        let enter = |row: &mut FailureStreak| row.acquire(requester.fingerprint, now);
        let is_trial = if is_proven {
            enter(&mut self.lock_shared())?
        } else if let Some(wait) = self.lock_shared().pause_for_all(now) {
            return Err(wait);
        } else {
            let own = self.own_streaks.get(&requester.fingerprint);
            own.map_or(Ok(false), |own| enter(&mut lock(&own)))?
        };
        Ok(BreakerPermit { breaker: self, requester, is_proven, is_trial })
    }

    fn lock_shared(&self) -> MutexGuard<'_, FailureStreak> {
        lock(&self.shared_streak)
    }
}

impl BreakerPermit<'_> {
    /// Records a response and its verdict on the credential.
    pub(in crate::octopus) fn record_response(mut self, verdict: CredentialVerdict) {
        self.is_trial = false;
        let Self { breaker, requester: Requester { fingerprint, .. }, is_proven, .. } = self;
        breaker.own_streaks.invalidate(&fingerprint);
        match verdict {
            CredentialVerdict::Accepted => breaker.proven.insert(fingerprint, ()),
            CredentialVerdict::Rejected => breaker.proven.invalidate(&fingerprint),
            CredentialVerdict::Unknown => {}
        }
        if is_proven || verdict == CredentialVerdict::Accepted {
            *breaker.lock_shared() = FailureStreak::default();
        }
    }

    /// Records that no response arrived.
    pub(in crate::octopus) fn record_failure(self) {
        self.record_failure_at(Instant::now());
    }

    fn record_failure_at(mut self, now: Instant) {
        let was_trial = std::mem::take(&mut self.is_trial);
        let Breaker { failure_threshold: after, pause, .. } = *self.breaker;
        let fingerprint = self.requester.fingerprint;
        self.with_streak(|row| row.record_failure(fingerprint, was_trial, (after, pause), now));
    }

    fn with_streak(&self, record: impl FnOnce(&mut FailureStreak)) {
        if self.is_proven {
            return record(&mut self.breaker.lock_shared());
        }
        let own = self.breaker.own_streaks.get_with(self.requester.fingerprint, Arc::default);
        record(&mut lock(&own));
    }
}

impl Drop for BreakerPermit<'_> {
    fn drop(&mut self) {
        if self.is_trial {
            self.with_streak(FailureStreak::give_up_trial);
        }
    }
}

fn lock(row: &Mutex<FailureStreak>) -> MutexGuard<'_, FailureStreak> {
    row.lock()
}

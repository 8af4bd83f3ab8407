//! Circuit breaker of an instance. It rejects requests for a while after several consecutive
//! requests got no response, then lets one request through as a trial.
//!
//! # Whose failures count
//!
//! Anybody can invent an Octopus credential. So failures of a sender may block other callers only
//! if the sender is *proven*: the instance accepted its credential within the last hour, or the
//! operator configured the credential ([`Requester::is_configured`]). Proven senders share one
//! [`FailureStreak`]. It blocks a single sender until requests of a second proven sender fail too.
//! Each unproven sender has a streak of its own, which blocks nobody else.
//!
//! # What counts
//!
//! A failure is a request without a response, or a response of 502, 503 or 504 from a proxy.
//! Requests that never left this process do not count. Any other response to a proven sender clears
//! the shared streak. A response to an unproven sender clears only that sender's streak. An
//! instance whose database is down can still answer invented credentials with 401, and these
//! responses must not keep the breaker closed for everybody else.
//!
//! While the shared streak pauses, unproven senders are rejected like all others. After the pause
//! they may send again, within their share of the concurrency limit, but never as the trial. A new
//! sender needs a response to become proven, and an attacker must not block the trial of proven
//! senders.

mod row;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use moka::sync::Cache;

use self::row::Row;
use super::Fingerprint;

/// Maximum number of remembered proven senders, and of streaks of unproven senders.
const MAX_SENDERS: u64 = 10_000;
/// Time for which a sender stays proven after its credential was last accepted. It is longer than
/// most outages, so senders that used the instance before an outage remain proven during it.
const PROVEN_FOR: Duration = Duration::from_hours(1);
/// Idle time after which the streak of an unproven sender is forgotten.
const OWN_ROW_FOR: Duration = Duration::from_mins(10);

/// The sender of a request: a caller and the credential that acts for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Requester {
    /// Identifies the caller and the credential.
    pub(super) fingerprint: Fingerprint,
    /// Whether the operator chose the credential: configured, of a group, or exchanged. Such a
    /// credential counts as proven, because a caller cannot invent it.
    pub(super) is_configured: bool,
}

/// What a response shows about the credential of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The instance accepted it: the response requires a valid credential.
    Accepted,
    /// The instance rejected it (401).
    Refused,
    /// The response shows nothing about it.
    Unknown,
}

/// The circuit breaker of one instance.
#[derive(Debug)]
pub(super) struct Breaker {
    /// Number of consecutive failures that open the breaker; 0 disables it.
    after: u32,
    pause: Duration,
    /// The streak of all proven senders.
    shared: Mutex<Row>,
    /// The streaks of unproven senders, one for each sender.
    own: Cache<Fingerprint, Arc<Mutex<Row>>>,
    /// Senders whose credential the instance accepted.
    proven: Cache<Fingerprint, ()>,
}

/// Permission to send one request. Dropping it without an outcome records nothing.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    requester: Requester,
    is_proven: bool,
    is_trial: bool,
}

impl Breaker {
    /// Creates a breaker that opens for `pause` after `failure_threshold` consecutive failures (0:
    /// never).
    pub(super) fn new(failure_threshold: u32, pause: Duration) -> Self {
        Self {
            after: failure_threshold,
            pause,
            shared: Mutex::default(),
            own: Cache::builder().max_capacity(MAX_SENDERS).time_to_idle(OWN_ROW_FOR).build(),
            proven: Cache::builder().max_capacity(MAX_SENDERS).time_to_live(PROVEN_FOR).build(),
        }
    }

    /// Returns whether failures of this sender may block others.
    pub(super) fn is_proven(&self, requester: Requester) -> bool {
        requester.is_configured || self.proven.contains_key(&requester.fingerprint)
    }

    /// Returns how long a request of this sender would be rejected from now on; `None` if it would
    /// be sent.
    pub(super) fn refuses(&self, requester: Requester) -> Option<Duration> {
        self.refuses_at(requester, self.is_proven(requester), Instant::now())
    }

    fn refuses_at(&self, sender: Requester, is_proven: bool, now: Instant) -> Option<Duration> {
        if is_proven {
            return self.shared().refuses(sender.fingerprint, now);
        }
        let all = self.shared().pauses_all(now);
        all.or_else(|| {
            let own = self.own.get(&sender.fingerprint)?;
            locked(&own).refuses(sender.fingerprint, now)
        })
    }

    /// Returns whether requests of all senders are rejected now.
    pub(super) fn refuses_all(&self) -> bool {
        self.shared().pauses_all(Instant::now()).is_some()
    }

    /// Admits a request of this sender. The error is the time for which it is rejected.
    pub(super) fn enter(&self, requester: Requester) -> Result<Pass<'_>, Duration> {
        self.enter_at(requester, Instant::now())
    }

    fn enter_at(&self, requester: Requester, now: Instant) -> Result<Pass<'_>, Duration> {
        let is_proven = self.is_proven(requester);
        let enter = |row: &mut Row| row.enter(requester.fingerprint, now);
        let is_trial = if is_proven {
            enter(&mut self.shared())?
        } else if let Some(wait) = self.shared().pauses_all(now) {
            return Err(wait);
        } else {
            let own = self.own.get(&requester.fingerprint);
            own.map_or(Ok(false), |own| enter(&mut locked(&own)))?
        };
        Ok(Pass { breaker: self, requester, is_proven, is_trial })
    }

    fn shared(&self) -> MutexGuard<'_, Row> {
        locked(&self.shared)
    }
}

impl Pass<'_> {
    /// Records a response and what it shows about the credential.
    pub(super) fn answered(mut self, verdict: Verdict) {
        self.is_trial = false;
        let Self { breaker, requester: Requester { fingerprint, .. }, is_proven, .. } = self;
        breaker.own.invalidate(&fingerprint);
        match verdict {
            Verdict::Accepted => breaker.proven.insert(fingerprint, ()),
            Verdict::Refused => breaker.proven.invalidate(&fingerprint),
            Verdict::Unknown => {}
        }
        if is_proven || verdict == Verdict::Accepted {
            *breaker.shared() = Row::default();
        }
    }

    /// Records that no response arrived.
    pub(super) fn failed(self) {
        self.failed_at(Instant::now());
    }

    fn failed_at(mut self, now: Instant) {
        let was_trial = std::mem::take(&mut self.is_trial);
        let Breaker { after, pause, .. } = *self.breaker;
        let fingerprint = self.requester.fingerprint;
        self.with_row(|row| row.failed(fingerprint, was_trial, (after, pause), now));
    }

    fn with_row(&self, record: impl FnOnce(&mut Row)) {
        if self.is_proven {
            return record(&mut self.breaker.shared());
        }
        let own = self.breaker.own.get_with(self.requester.fingerprint, Arc::default);
        record(&mut locked(&own));
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_trial {
            self.with_row(Row::give_up_trial);
        }
    }
}

fn locked(row: &Mutex<Row>) -> MutexGuard<'_, Row> {
    row.lock().unwrap_or_else(PoisonError::into_inner)
}

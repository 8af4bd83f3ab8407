//! The circuit breaker of an instance: it refuses requests for a while after several consecutive
//! requests got no response, and then lets one request through as a trial.
//!
//! # Whose failures count
//!
//! Anybody can invent an Octopus credential, so a failed request may only hold up other callers if
//! its sender is *proven*: the instance accepted this sender's credential within the last hour, or
//! the operator configured the credential ([`Requester::is_configured`]). Requests of proven senders
//! share one [`Row`]; it refuses one sender until the requests of a second proven sender fail too.
//! An unproven sender has a row of its own, which refuses nobody else.
//!
//! # What counts
//!
//! A failure is a request without a response, or a response of 502, 503 or 504 from a proxy. Requests
//! that never left this process are dropped by the caller and do not count. Any other response to a
//! proven sender clears the shared row. A response to an unproven sender clears only the row of that
//! sender: an instance whose database is down can still answer invented credentials with 401, and
//! these responses must not keep the breaker closed for everybody else.
//!
//! While the shared row pauses, unproven senders are refused like all others. After the pause they may
//! send again, within their share of the concurrency limit, but never occupy the trial: a new sender
//! needs a response to become proven, and an attacker must not hold up the trial of proven senders.

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

/// How many proven senders are remembered, and how many rows of unproven ones.
const MAX_SENDERS: u64 = 10_000;
/// How long a sender stays proven after its credential was last accepted. Longer than most outages,
/// so that those who used the instance before an outage remain proven during it.
const PROVEN_FOR: Duration = Duration::from_hours(1);
/// How long the row of an unproven sender is remembered.
const OWN_ROW_FOR: Duration = Duration::from_mins(10);

/// The sender of a request: a caller and the credential that acts for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Requester {
    /// Distinguishes callers and credentials.
    pub(super) fingerprint: Fingerprint,
    /// Whether the operator chose the credential: configured, of a group or exchanged. It counts as
    /// proven, because a caller cannot invent it.
    pub(super) is_configured: bool,
}

/// What a response says about the credential of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The instance accepted it: it served what it serves to nobody without a valid credential.
    Accepted,
    /// The instance refused it (401).
    Refused,
    /// Nothing.
    Unknown,
}

/// The circuit breaker of one instance.
#[derive(Debug)]
pub(super) struct Breaker {
    /// Consecutive failures that open it; 0 disables it.
    after: u32,
    pause: Duration,
    /// The row of all proven senders.
    shared: Mutex<Row>,
    /// Rows of unproven senders, each for itself.
    own: Cache<Fingerprint, Arc<Mutex<Row>>>,
    /// Senders whose credential the instance accepted.
    proven: Cache<Fingerprint, ()>,
}

/// Permission to send one request. Dropping it without an outcome counts for nothing.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    requester: Requester,
    is_proven: bool,
    is_trial: bool,
}

impl Breaker {
    /// A breaker that opens for `pause` after this many consecutive failures.
    pub(super) fn new(after: u32, pause: Duration) -> Self {
        Self {
            after,
            pause,
            shared: Mutex::default(),
            own: Cache::builder().max_capacity(MAX_SENDERS).time_to_idle(OWN_ROW_FOR).build(),
            proven: Cache::builder().max_capacity(MAX_SENDERS).time_to_live(PROVEN_FOR).build(),
        }
    }

    /// Whether failures of this sender may hold up others.
    pub(super) fn is_proven(&self, requester: Requester) -> bool {
        requester.is_configured || self.proven.contains_key(&requester.fingerprint)
    }

    /// For how long a request of this sender would be refused now.
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

    /// Whether requests of all senders are refused now.
    pub(super) fn refuses_all(&self) -> bool {
        self.shared().pauses_all(Instant::now()).is_some()
    }

    /// Lets a request of this sender through, or returns for how long it is refused.
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
    /// Records a response.
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

    /// Records that there was no response.
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

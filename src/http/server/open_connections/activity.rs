//! Tracks the requests of one connection and its idle time.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

/// The requests of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    /// `true` once a request of the connection was authenticated.
    pub(super) is_authenticated: bool,
    /// Number of active requests.
    active: usize,
    /// Time when the last request ended. Valid only without active requests.
    idle_since: Instant,
    /// Requests whose client has to read a part of the response, by number, with the start of the
    /// wait.
    waiting: BTreeMap<u64, Instant>,
    /// Number of the last request.
    last: u64,
}

impl Activity {
    pub(super) fn new(is_authenticated: bool) -> Self {
        let idle_since = Instant::now();
        Self { is_authenticated, active: 0, idle_since, waiting: BTreeMap::new(), last: 0 }
    }

    /// Returns a number for a new request of the connection.
    pub(super) fn next_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(super) fn begin(&mut self) {
        self.active += 1;
    }

    pub(super) fn end(&mut self) {
        self.active = self.active.saturating_sub(1);
        self.idle_since = Instant::now();
    }

    /// Records that a request waits for its client.
    pub(super) fn wait_for_client(&mut self, number: u64) {
        self.waiting.insert(number, Instant::now());
    }

    /// Records that a request no longer waits for its client. Returns `false` if the wait exceeded
    /// the limit, so that the request is no longer active.
    pub(super) fn end_wait(&mut self, number: u64) -> bool {
        self.waiting.remove(&number).is_some()
    }

    /// Ends the requests that have waited for their client for `limit`, and returns their number.
    pub(super) fn release_stalled(&mut self, limit: Duration) -> usize {
        let now = Instant::now();
        let before = self.waiting.len();
        let idle_since = &mut self.idle_since;
        self.waiting.retain(|_, since| {
            let is_stalled = *since + limit <= now;
            if is_stalled {
                // The client has been idle since then, so the connection has been idle as well.
                *idle_since = (*idle_since).max(*since);
            }
            !is_stalled
        });
        let released = before - self.waiting.len();
        self.active = self.active.saturating_sub(released);
        released
    }

    /// Returns whether the connection is idle, and the time of the next check: when it
    /// has been idle for `limit`, or when a request may have waited for its client that long.
    pub(super) fn deadline(&self, limit: Duration) -> (bool, Instant) {
        let is_idle = self.active == 0;
        let since = if is_idle {
            self.idle_since
        } else {
            self.waiting.values().min().copied().unwrap_or_else(Instant::now)
        };
        (is_idle, since + limit)
    }
}

//! Limits the open connections of one listener, and evicts idle connections for new ones.
//!
//! Every accepted connection uses a slot, also during the TLS handshake and while a header arrives.
//! If all slots are in use, an idle connection is evicted: it is closed at once and the new
//! connection gets its slot. A connection is idle if it has no active request. A request is no
//! longer active if its client reads nothing of the response for the idle timeout of the
//! connection. Connections are evicted in this order, and within each group the connection that was
//! idle longest:
//!
//! 1. connections without an authenticated request so far,
//! 2. connections with an authenticated request,
//! 3. connections of trusted proxies.
//!
//! A client that opens connections without sending requests therefore evicts its own connections,
//! and new clients are accepted. A new connection is rejected only if every other connection has an
//! active request. At the limit of one address, only connections from that address are evicted.

mod activity;
mod order;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use self::{
    activity::Activity,
    order::{Address, State},
};
use crate::config::Networks;

/// The limits for open connections of one listener.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// Maximum number of open connections.
    pub total: usize,
    /// Maximum number of open connections of one address. All IPv6 addresses of a /64 network are
    /// one address.
    pub per_address: usize,
    /// Trusted proxies. Their connections carry requests of many clients, so the limit per
    /// address does not apply to them.
    pub trusted_proxies: Networks,
    /// If `true`, a connection is unauthenticated until one of its requests is authenticated.
    /// If `false`, every connection is treated as authenticated.
    pub authenticates: bool,
}

impl Default for ConnectionLimits {
    /// Returns the limits for a listener on a loopback address: 10,000 in total and per address.
    fn default() -> Self {
        Self {
            total: 10_000,
            per_address: 10_000,
            trusted_proxies: Networks::default(),
            authenticates: false,
        }
    }
}

/// The open connections of one listener.
#[derive(Debug)]
pub(super) struct OpenConnections {
    limits: ConnectionLimits,
    state: Mutex<State>,
    /// Time of the last log line about the limit.
    warned: Mutex<Option<Instant>>,
}

/// Minimum interval between two log lines about the limit.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// The slot of one connection. Dropping it releases the slot.
#[derive(Debug)]
pub(super) struct Slot(Arc<Tracker>);

/// Reports the requests of a connection to its slot. Inserted into the extensions of every request.
#[derive(Debug, Clone)]
pub(in crate::http) struct ConnectionHandle(Arc<Tracker>);

/// An active request. Dropping it ends the request.
///
/// Its response has two states: the server produces the next frame, or the client has to read the
/// last one. Only the second state has a time limit here, see [`Slot::idle_for`].
#[derive(Debug)]
pub(super) struct ActiveRequest {
    tracker: Arc<Tracker>,
    number: u64,
    waits_for_client: bool,
}

#[derive(Debug)]
struct Tracker {
    number: u64,
    connections: Arc<OpenConnections>,
    evicted: CancellationToken,
    activity: Mutex<Activity>,
    changed: Notify,
}

impl OpenConnections {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, state: Mutex::default(), warned: Mutex::default() })
    }

    /// Returns a slot for a new connection from this address. Returns `None` if all slots are in
    /// use and each connection has an active request.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Slot> {
        let address = (!self.limits.trusted_proxies.contains(peer)).then(|| key(peer));
        let limits = (self.limits.total, self.limits.per_address);
        let evicted = CancellationToken::new();
        let (number, is_full) = {
            let mut state = self.locked();
            let before = state.len();
            let number = state.add(address, limits, evicted.clone());
            (number, state.len() <= before)
        };
        if is_full {
            self.warn_of_limit(number.is_none());
        }
        let number = number?;
        // A proxy reuses its connections for requests of other clients. A request sent while its
        // connection is closed is lost.
        let is_authenticated = address.is_none() || !self.limits.authenticates;
        Some(Slot(Arc::new(Tracker {
            number,
            connections: Arc::clone(self),
            evicted,
            activity: Mutex::new(Activity::new(is_authenticated)),
            changed: Notify::new(),
        })))
    }

    /// Evicts the first idle connection in eviction order. Returns whether a connection was
    /// evicted.
    pub(super) fn evict_one(&self) -> bool {
        self.locked().evict_one()
    }

    /// Logs that the limit is reached, at most once per interval.
    fn warn_of_limit(&self, is_rejected: bool) {
        let now = Instant::now();
        let mut warned = self.warned.lock();
        if warned.is_some_and(|warned| now - warned < WARN_EVERY) {
            return;
        }
        *warned = Some(now);
        drop(warned);
        let ConnectionLimits { total, per_address, .. } = self.limits;
        tracing::warn!(
            total,
            per_address,
            is_rejected,
            "connection limit reached (limits.connections, limits.connections_per_address)"
        );
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Slot {
    pub(super) fn handle(&self) -> ConnectionHandle {
        ConnectionHandle(Arc::clone(&self.0))
    }

    /// Completes when the connection is evicted.
    pub(super) async fn evicted(&self) {
        self.0.evicted.cancelled().await;
    }

    /// Completes when the connection has been idle for a timeout. The timeout is `authenticated`
    /// after an authenticated request of the connection, otherwise `unauthenticated`. A request
    /// whose client reads nothing of the response for that time is no longer active.
    pub(super) async fn idle_for(&self, unauthenticated: Duration, authenticated: Duration) {
        loop {
            let changed = self.0.changed.notified();
            let limit =
                if self.0.activity().is_authenticated { authenticated } else { unauthenticated };
            self.0.release_stalled(limit);
            let (is_idle, deadline) = self.0.activity().deadline(limit);
            tokio::select! {
                () = changed => {}
                () = sleep_until(deadline) => if is_idle {
                    return;
                }
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.connections.locked().remove(self.0.number);
    }
}

impl ConnectionHandle {
    /// Registers a new request.
    pub(super) fn request(&self) -> ActiveRequest {
        let tracker = Arc::clone(&self.0);
        let number = tracker.activity().next_number();
        tracker.begin();
        ActiveRequest { tracker, number, waits_for_client: false }
    }

    /// Records that a request of the connection was authenticated.
    pub(in crate::http) fn authenticated(&self) {
        self.0.activity().is_authenticated = true;
        self.0.connections.locked().authenticated(self.0.number);
    }
}

impl ActiveRequest {
    /// Records that the response continues only after the client reads the sent part.
    pub(super) fn wait_for_client(&mut self) {
        self.waits_for_client = true;
        self.tracker.activity().wait_for_client(self.number);
    }

    /// Records that the client read the sent part. A released request becomes active again.
    pub(super) fn client_has_read(&mut self) {
        if self.end_wait() {
            self.tracker.begin();
        }
        self.waits_for_client = false;
    }

    /// Ends the wait for the client. Returns whether the wait exceeded the limit.
    fn end_wait(&self) -> bool {
        self.waits_for_client && !self.tracker.activity().end_wait(self.number)
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        if !self.end_wait() {
            self.tracker.activity().end();
            self.tracker.connections.locked().end(self.tracker.number);
            self.tracker.changed.notify_one();
        }
    }
}

impl Tracker {
    fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock()
    }

    fn begin(&self) {
        self.activity().begin();
        self.connections.locked().begin(self.number);
        self.changed.notify_one();
    }

    /// Ends the requests whose client has read nothing of the response for `limit`.
    fn release_stalled(&self, limit: Duration) {
        for _ in 0..self.activity().release_stalled(limit) {
            self.connections.locked().end(self.number);
        }
    }
}

/// Returns the key of an address for the limits. An IPv6 client usually has a whole /64 network, so
/// the network is the key.
fn key(peer: IpAddr) -> Address {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            network.to_be_bytes()
        }
    }
}

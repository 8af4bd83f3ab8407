//! The eviction order of idle connections.

use std::collections::{BTreeSet, HashMap};

use tokio_util::sync::CancellationToken;

/// Key of the limit per address: an IPv4 address or an IPv6 /64 network.
pub(super) type Address = [u8; 16];

/// The open connections, and the idle connections in eviction order.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Next number, for connections and for the order in which they become idle.
    next: u64,
    open: HashMap<u64, Open>,
    idle: BTreeSet<Rank>,
    by_address: HashMap<Address, AddressState>,
}

/// The connections of one address.
#[derive(Debug, Default)]
struct AddressState {
    open: usize,
    idle: BTreeSet<Rank>,
}

/// Rank of an idle connection: its group, the time when it became idle, and its number.
type Rank = (Group, u64, u64);

/// The groups, in eviction order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Unauthenticated,
    Authenticated,
    Proxy,
}

#[derive(Debug)]
struct Open {
    /// `None` for trusted proxies.
    address: Option<Address>,
    group: Group,
    requests: usize,
    idle_since: u64,
    evicted: CancellationToken,
}

impl State {
    /// Adds a connection. At the limit in total or per address, first evicts an idle
    /// connection. Returns the number of the new connection, or `None` if no connection is idle.
    pub(super) fn add(
        &mut self,
        address: Option<Address>,
        (total, per_address): (usize, usize),
        evicted: CancellationToken,
    ) -> Option<u64> {
        let same_address = address.and_then(|address| self.by_address.get(&address));
        if let Some(state) = same_address.filter(|state| state.open >= per_address) {
            let first = state.idle.first().copied()?;
            self.evict(first);
        }
        if self.open.len() >= total && !self.evict_one() {
            return None;
        }
        let number = self.next_number();
        let group = if address.is_some() { Group::Unauthenticated } else { Group::Proxy };
        self.open.insert(number, Open { address, group, requests: 0, idle_since: number, evicted });
        if let Some(address) = address {
            self.by_address.entry(address).or_default().open += 1;
        }
        self.set_idle(number, true);
        Some(number)
    }

    /// Returns the number of open connections.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Evicts the first idle connection in eviction order. Returns whether a connection was
    /// evicted.
    pub(super) fn evict_one(&mut self) -> bool {
        let first = self.idle.first().copied();
        first.inspect(|first| self.evict(*first)).is_some()
    }

    fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Adds a connection to the eviction order, or removes it.
    fn set_idle(&mut self, number: u64, is_idle: bool) {
        let Some(open) = self.open.get(&number) else { return };
        let rank = (open.group, open.idle_since, number);
        let same_address = open.address.and_then(|address| self.by_address.get_mut(&address));
        for order in
            [Some(&mut self.idle), same_address.map(|state| &mut state.idle)].into_iter().flatten()
        {
            if is_idle {
                order.insert(rank);
            } else {
                order.remove(&rank);
            }
        }
    }

    fn evict(&mut self, (_, _, number): Rank) {
        if let Some(open) = self.open.get(&number) {
            open.evicted.cancel();
        }
        self.remove(number);
    }

    pub(super) fn remove(&mut self, number: u64) {
        self.set_idle(number, false);
        let Some(open) = self.open.remove(&number) else { return };
        let Some(address) = open.address else { return };
        if let Some(state) = self.by_address.get_mut(&address) {
            state.open -= 1;
            if state.open == 0 {
                self.by_address.remove(&address);
            }
        }
    }

    pub(super) fn begin(&mut self, number: u64) {
        self.set_idle(number, false);
        if let Some(open) = self.open.get_mut(&number) {
            open.requests += 1;
        }
    }

    pub(super) fn end(&mut self, number: u64) {
        let now = self.next_number();
        let Some(open) = self.open.get_mut(&number) else { return };
        open.requests = open.requests.saturating_sub(1);
        if open.requests == 0 {
            open.idle_since = now;
            self.set_idle(number, true);
        }
    }

    pub(super) fn authenticated(&mut self, number: u64) {
        let Some(open) = self.open.get(&number) else { return };
        if open.group != Group::Unauthenticated {
            return;
        }
        // The rank contains the group, so an idle connection is ranked again.
        let is_idle = open.requests == 0;
        self.set_idle(number, false);
        if let Some(open) = self.open.get_mut(&number) {
            open.group = Group::Authenticated;
        }
        if is_idle {
            self.set_idle(number, true);
        }
    }
}

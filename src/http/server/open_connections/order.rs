//! Which connection gives way first.

use std::collections::{BTreeSet, HashMap};

use tokio_util::sync::CancellationToken;

/// An address as it is counted.
pub(super) type Address = [u8; 16];

/// The open connections, and the idle ones in the order in which they give way.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Numbers for connections and for moments at which one becomes idle.
    next: u64,
    open: HashMap<u64, Open>,
    idle: BTreeSet<Rank>,
    by_address: HashMap<Address, OfAddress>,
}

/// The connections of one address.
#[derive(Debug, Default)]
struct OfAddress {
    open: usize,
    idle: BTreeSet<Rank>,
}

/// Which idle connection gives way first: its group, since when it is idle, and its number.
type Rank = (Group, u64, u64);

/// The groups, in the order in which they give way.
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
    /// Adds a connection, in the place of an idle one where there are as many as `limits` allow: in all,
    /// and from one address. Returns its number, or `None` where no connection gives way.
    pub(super) fn add(
        &mut self,
        address: Option<Address>,
        (total, per_address): (usize, usize),
        evicted: CancellationToken,
    ) -> Option<u64> {
        let of_address = address.and_then(|address| self.by_address.get(&address));
        if let Some(of_address) = of_address.filter(|of| of.open >= per_address) {
            let first = of_address.idle.first().copied()?;
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

    /// How many connections are open.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Closes the idle connection that gives way first; returns whether there was one.
    pub(super) fn evict_one(&mut self) -> bool {
        let first = self.idle.first().copied();
        first.inspect(|first| self.evict(*first)).is_some()
    }

    fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Takes a connection into the order of idle ones, or out of it.
    fn set_idle(&mut self, number: u64, is_idle: bool) {
        let Some(open) = self.open.get(&number) else { return };
        let rank = (open.group, open.idle_since, number);
        let of_address = open.address.and_then(|address| self.by_address.get_mut(&address));
        for order in [Some(&mut self.idle), of_address.map(|of| &mut of.idle)].into_iter().flatten()
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
        if let Some(of_address) = self.by_address.get_mut(&address) {
            of_address.open -= 1;
            if of_address.open == 0 {
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
        // The group is a part of the rank, so an idle connection is ranked again.
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

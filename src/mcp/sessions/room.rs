//! Session limits, and the choice of a session to evict for a new one.

use std::{collections::HashMap, time::Instant};

use super::{Known, Place, Sessions, Whose};
use crate::callers::Caller;

/// The session limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// `http.session_limit_per_caller`.
    ForCaller,
    /// `http.session_limit`, over all callers.
    AtAll,
}

/// What happens to an existing session so that a new one fits.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing: a session is free.
    Free,
    /// This session ends at all replicas.
    Ends(String),
    /// This replica releases this session, which can continue at any replica.
    Leaves(String),
}

impl Sessions {
    /// Checks the session limits for a caller from this network.
    ///
    /// # Errors
    ///
    /// The limit that is reached, if no session can be evicted.
    pub fn room(&self, caller: &Caller, place: &Place) -> Result<(), NoRoom> {
        self.room_in(&self.known(), Some(caller.fingerprint()), place).map(|_| ())
    }

    /// Checks the session limits and chooses the session to evict.
    ///
    /// `initialize` does not verify the Octopus credential, so a client with invented credentials
    /// can fill all sessions. If more than half of the limit come from one network, a client from
    /// another network evicts the least recently used session of that network. Before that, and
    /// before a caller is rejected, an unused session that started at another replica is released:
    /// it can continue there.
    pub(super) fn room_in(
        &self,
        known: &HashMap<String, Known>,
        whose: Whose,
        place: &Place,
    ) -> Result<Way, NoRoom> {
        let of_caller = known.values().filter(|known| known.whose == whose).count();
        if of_caller >= self.limit_per_caller {
            let released = self.leaves(known, |known| known.whose == whose);
            return released.map(Way::Leaves).ok_or(NoRoom::ForCaller);
        }
        if known.len() < self.limit {
            return Ok(Way::Free);
        }
        if let Some(released) = self.leaves(known, |_| true) {
            return Ok(Way::Leaves(released));
        }
        let mut counts = HashMap::<&Place, usize>::new();
        for known in known.values() {
            *counts.entry(&known.place).or_default() += 1;
        }
        let crowded = counts.into_iter().max_by_key(|(_, count)| *count);
        let (crowded, _) = crowded
            .filter(|(crowded, count)| *crowded != place && *count > self.limit / 2)
            .ok_or(NoRoom::AtAll)?;
        let of_crowded = known.iter().filter(|(_, known)| known.place == *crowded);
        let oldest = of_crowded.min_by_key(|(_, known)| (known.open > 0, known.last));
        oldest.map(|(id, _)| Way::Ends(id.clone())).ok_or(NoRoom::AtAll)
    }

    /// Returns the least recently used session that was taken over and is idle at this replica.
    ///
    /// Returns `None` while the store is not available, because no replica could continue the
    /// session.
    fn leaves(
        &self,
        known: &HashMap<String, Known>,
        is_one: impl Fn(&Known) -> bool,
    ) -> Option<String> {
        let shared = self.shared.as_ref().filter(|shared| !shared.store.is_away())?;
        let waiting = shared.waiting();
        let is_asked = |id: &str| waiting.keys().any(|(session, _)| **session == *id);
        let idle = known.iter().filter(|(id, known)| {
            let is_idle = known.open == 0 && known.last.elapsed() >= self.round();
            known.taken > 0 && is_idle && is_one(known) && !is_asked(id)
        });
        idle.min_by_key(|(_, known)| known.last).map(|(id, _)| id.clone())
    }

    /// Adds the entry of a new session and removes the entry of the session to evict.
    ///
    /// # Errors
    ///
    /// The limit that is reached, if no session can be evicted.
    pub(super) fn take_place(
        &self,
        id: &str,
        (whose, place): (Whose, Place),
        taken: u64,
    ) -> Result<Way, NoRoom> {
        let mut known = self.known();
        let way = self.room_in(&known, whose, &place)?;
        if let Way::Ends(gone) | Way::Leaves(gone) = &way {
            known.remove(gone);
        }
        let (last, shared) = (Instant::now(), taken > 0);
        known.insert(id.to_owned(), Known { whose, place, last, open: 0, shared, taken });
        Ok(way)
    }

    /// Ends or releases the evicted session.
    pub(super) async fn make(&self, way: Way) {
        match way {
            Way::Free => {}
            Way::Ends(id) => self.end(&id).await,
            Way::Leaves(id) => self.close_all(vec![id]).await,
        }
    }
}

//! Session limits, and the choice of a session to evict for a new one.

use std::{collections::HashMap, time::Instant};

use super::{ClientOrigin, SessionEntry, SessionOwner, SessionRegistry};
use crate::auth::Caller;

/// The session limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionLimit {
    /// `http.session_limit_per_caller`.
    PerCaller,
    /// `http.session_limit`, over all callers.
    Total,
}

/// The action on an existing session before a new session is added.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Eviction {
    /// No action: the limits allow another session.
    NotNeeded,
    /// This session ends at all replicas.
    End(String),
    /// This replica releases this session, which can continue at any replica.
    Release(String),
}

impl SessionRegistry {
    /// Checks the session limits for a caller from this network.
    ///
    /// # Errors
    ///
    /// The limit that is reached, if no session can be evicted.
    pub fn check_capacity(
        &self,
        caller: &Caller,
        origin: &ClientOrigin,
    ) -> Result<(), SessionLimit> {
        self.plan_eviction(&self.entries(), Some(caller.fingerprint()), origin).map(|_| ())
    }

    /// Checks the session limits and chooses the session to evict.
    ///
    /// `initialize` does not verify the Octopus credential, so a client with invented credentials
    /// can fill all sessions. If more than half of the limit come from one network, a client from
    /// another network evicts the least recently used session of that network. Before that, and
    /// before a caller is rejected, an unused session that started at another replica is released:
    /// it can continue there.
    pub(super) fn plan_eviction(
        &self,
        entries: &HashMap<String, SessionEntry>,
        owner: SessionOwner,
        origin: &ClientOrigin,
    ) -> Result<Eviction, SessionLimit> {
        let of_caller = entries.values().filter(|entry| entry.owner == owner).count();
        if of_caller >= self.limit_per_caller {
            let released = self.releasable_session(entries, |entry| entry.owner == owner);
            return released.map(Eviction::Release).ok_or(SessionLimit::PerCaller);
        }
        if entries.len() < self.limit {
            return Ok(Eviction::NotNeeded);
        }
        if let Some(released) = self.releasable_session(entries, |_| true) {
            return Ok(Eviction::Release(released));
        }
        let mut counts = HashMap::<&ClientOrigin, usize>::new();
        for entry in entries.values() {
            *counts.entry(&entry.origin).or_default() += 1;
        }
        let crowded = counts.into_iter().max_by_key(|(_, count)| *count);
        let (crowded, _) = crowded
            .filter(|(crowded, count)| *crowded != origin && *count > self.limit / 2)
            .ok_or(SessionLimit::Total)?;
        let of_crowded = entries.iter().filter(|(_, entry)| entry.origin == *crowded);
        let oldest = of_crowded.min_by_key(|(_, entry)| (entry.open_streams > 0, entry.last_used));
        oldest.map(|(id, _)| Eviction::End(id.clone())).ok_or(SessionLimit::Total)
    }

    /// Returns the least recently used session that was taken over and is idle at this replica.
    ///
    /// Returns `None` while the store is not available, because no replica could continue the
    /// session.
    fn releasable_session(
        &self,
        entries: &HashMap<String, SessionEntry>,
        is_candidate: impl Fn(&SessionEntry) -> bool,
    ) -> Option<String> {
        let shared = self.shared.as_ref().filter(|shared| !shared.store.is_unavailable())?;
        let pending = shared.pending();
        let has_pending_request = |id: &str| pending.keys().any(|(session, _)| **session == *id);
        let idle = entries.iter().filter(|(id, entry)| {
            let is_idle =
                entry.open_streams == 0 && entry.last_used.elapsed() >= self.sweep_interval();
            entry.takeover_number > 0 && is_idle && is_candidate(entry) && !has_pending_request(id)
        });
        idle.min_by_key(|(_, entry)| entry.last_used).map(|(id, _)| id.clone())
    }

    /// Adds the entry of a new session and removes the entry of the session to evict.
    ///
    /// # Errors
    ///
    /// The limit that is reached, if no session can be evicted.
    pub(super) fn add_entry(
        &self,
        id: &str,
        (owner, origin): (SessionOwner, ClientOrigin),
        takeover_number: u64,
    ) -> Result<Eviction, SessionLimit> {
        let mut entries = self.entries();
        let eviction = self.plan_eviction(&entries, owner, &origin)?;
        if let Eviction::End(evicted) | Eviction::Release(evicted) = &eviction {
            entries.remove(evicted);
        }
        let (last, shared) = (Instant::now(), takeover_number > 0);
        entries.insert(
            id.to_owned(),
            SessionEntry {
                owner,
                origin,
                last_used: last,
                open_streams: 0,
                is_shared: shared,
                takeover_number,
            },
        );
        Ok(eviction)
    }

    /// Ends or releases the evicted session.
    pub(super) async fn evict(&self, eviction: Eviction) {
        match eviction {
            Eviction::NotNeeded => {}
            Eviction::End(id) => self.end(&id).await,
            Eviction::Release(id) => self.close_all(vec![id]).await,
        }
    }
}

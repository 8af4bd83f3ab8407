//! Whether there is room for another session, and which gives way to it.

use std::{collections::HashMap, time::Instant};

use super::{Known, Place, Sessions, Whose};
use crate::callers::Caller;

/// Why there can be no further session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// This caller has as many as one may have.
    ForCaller,
    /// All callers together have.
    AtAll,
}

/// What gives way to a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing has to.
    Free,
    /// This session ends.
    Ends(String),
    /// This session is served here no more, and goes on at any replica.
    Leaves(String),
}

impl Sessions {
    /// Whether a caller, who comes from there, may have another session.
    pub fn room(&self, caller: &Caller, place: &Place) -> Result<(), NoRoom> {
        self.room_in(&self.known(), Some(caller.fingerprint()), place).map(|_| ())
    }

    /// Whether there is room, and what has to give way for it.
    ///
    /// A greeting asks Octopus nothing, so who makes up credentials can have as many sessions as
    /// there may be. Where more than half of them come from one place, the one of those that was
    /// used least recently gives way to a caller from elsewhere. What another replica began and
    /// nobody uses here gives way before that, and before a caller is refused: nothing ends by it.
    pub(super) fn room_in(
        &self,
        known: &HashMap<String, Known>,
        whose: Whose,
        place: &Place,
    ) -> Result<Way, NoRoom> {
        let of_caller = known.values().filter(|known| known.whose == whose).count();
        if of_caller >= self.limit_per_caller {
            let leaves = self.leaves(known, |known| known.whose == whose);
            return leaves.map(Way::Leaves).ok_or(NoRoom::ForCaller);
        }
        if known.len() < self.limit {
            return Ok(Way::Free);
        }
        if let Some(leaves) = self.leaves(known, |_| true) {
            return Ok(Way::Leaves(leaves));
        }
        let mut counts = HashMap::<&Place, usize>::new();
        for known in known.values() {
            *counts.entry(&known.place).or_default() += 1;
        }
        let crowd = counts.into_iter().max_by_key(|(_, count)| *count);
        let (crowd, _) = crowd
            .filter(|(crowd, count)| *crowd != place && *count > self.limit / 2)
            .ok_or(NoRoom::AtAll)?;
        let of_crowd = known.iter().filter(|(_, known)| known.place == *crowd);
        let oldest = of_crowd.min_by_key(|(_, known)| (known.open > 0, known.last));
        oldest.map(|(id, _)| Way::Ends(id.clone())).ok_or(NoRoom::AtAll)
    }

    /// The session among these that was taken up here, and that nobody has used here for a while.
    /// While the store is away it could be gone on with nowhere.
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

    /// Takes the place of a new session, where there is one, and gives what gives way to it.
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

    /// Lets what gives way be gone.
    pub(super) async fn make(&self, way: Way) {
        match way {
            Way::Free => {}
            Way::Ends(id) => self.end(&id).await,
            Way::Leaves(id) => self.close_all(vec![id]).await,
        }
    }
}

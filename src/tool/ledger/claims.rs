//! What a replica does, as the others that share its store know of it.
//!
//! Before anything is sent, its name is claimed in the store, for as long as it counts; whoever
//! finds it claimed by another sends nothing. What Octopus answered stays where it was asked.

use std::sync::Arc;

use uuid::Uuid;

use super::{KEPT, Key, Name, Undone};
use crate::store::{Claim, Store};

/// What claims are called in the store.
const KIND: &str = "deed";
/// How many bytes a claim has: the replica, what the deed is done with, and the attempt. When the
/// deed is over, the moment follows as a version 7 UUID.
const CLAIM: usize = 16 + 32 + 16;

/// The claims of this replica and of the others.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    store: Arc<Store>,
    /// What tells this replica from the others.
    us: Uuid,
}

impl Claims {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store, us: Uuid::new_v4() }
    }

    /// Claims a deed for this replica, and gives the claim. While the store is away, a yes counts
    /// where it was asked for, and so at one replica alone; a name that the caller chose counts
    /// nowhere.
    pub(super) async fn take(
        &self,
        name: Name,
        arguments: &Key,
        asked_here: bool,
    ) -> Result<Option<Claimed>, Undone> {
        let Some(&key) = name.lasting() else { return Ok(None) };
        let claimed = Claimed::new(key, arguments);
        let claim = || self.store.claim(KIND, &key, (self.us.as_bytes(), &claimed.what), KEPT);
        let mut held = claim().await;
        if let Claim::Theirs(old) = &held
            && self.is_over(old, name)
        {
            // An equal change that was made before this one was asked for. Of several replicas that
            // take this step, one has the claim.
            self.store.give_up(KIND, &key, old, KEPT).await;
            held = claim().await;
        }
        match held {
            Claim::Ours => Ok(Some(claimed)),
            // What this replica claimed itself is never another's.
            Claim::Theirs(held) => {
                Err(self.held(&held, name, arguments).unwrap_or(Undone::Elsewhere))
            }
            Claim::Unknown if asked_here && matches!(name, Name::Asked { .. }) => {
                // The others learn of it when the store is back, by a claim of its own: the one
                // that nobody knows of is given up then.
                let claimed = Claimed::new(key, arguments);
                self.store.put(KIND, &key, &self.value(&claimed), KEPT).await;
                Ok(Some(claimed))
            }
            Claim::Unknown => Err(Undone::Unknown),
        }
    }

    /// Why something is not done here, where another replica has it in hand.
    pub(super) async fn find(&self, name: Name, arguments: &Key) -> Option<Undone> {
        let key = name.lasting()?;
        self.held(&self.store.get(KIND, key).await?, name, arguments)
    }

    /// Says that a change which was approved was made, so that an equal one can be asked for anew,
    /// at any replica. The caller's own key stands for its call as long as it counts.
    pub(super) async fn ended(&self, name: Name, claimed: &Claimed, mark: Uuid) {
        if matches!(name, Name::Asked { .. }) {
            let value = [self.value(claimed).as_slice(), mark.as_bytes()].concat();
            self.store.put(KIND, &claimed.key, &value, KEPT).await;
        }
    }

    /// Whether a claim is of a deed that was over before this question was asked. What this replica
    /// claimed itself is over, or nothing would be claimed again.
    fn is_over(&self, held: &[u8], name: Name) -> bool {
        let Name::Asked { .. } = name else { return false };
        let mark = held.get(CLAIM..).and_then(|mark| Uuid::from_slice(mark).ok());
        held.starts_with(self.us.as_bytes()) || mark.is_some_and(|mark| name.is_after(mark))
    }

    /// Lets others do it: nothing came of it here.
    pub(super) async fn give_up(&self, claimed: &Claimed) {
        self.store.give_up(KIND, &claimed.key, &self.value(claimed), KEPT).await;
    }

    fn value(&self, claimed: &Claimed) -> Vec<u8> {
        [self.us.as_bytes().as_slice(), &claimed.what].concat()
    }

    /// What this replica claimed itself, it knows better than the store. What does not read as a
    /// claim is somebody else's.
    fn held(&self, held: &[u8], name: Name, arguments: &Key) -> Option<Undone> {
        let us = self.us.as_bytes();
        let Some((whose, what)) = held.split_at_checked(us.len()) else {
            return Some(Undone::Elsewhere);
        };
        if whose == us || self.is_over(held, name) {
            return None;
        }
        let is_other = what.len() >= arguments.len() && !what.starts_with(arguments);
        Some(if is_other { Undone::OtherCall } else { Undone::Elsewhere })
    }
}

/// A claim of this replica.
#[derive(Debug)]
pub(super) struct Claimed {
    key: Key,
    /// What the deed is done with, and what tells this claim from every other of the same.
    what: Vec<u8>,
}

impl Claimed {
    fn new(key: Key, arguments: &Key) -> Self {
        let once = Uuid::new_v4();
        Self { key, what: [arguments.as_slice(), once.as_bytes()].concat() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_our_own_claim_is_somebody_elses() {
        let claims = Claims::new(Store::memory());
        let (this, other) = ([1; 32], [2; 32]);
        let theirs = Claims::new(Store::memory());
        let claim = |whose: &Claims, of: &Key| whose.value(&Claimed::new([0; 32], of));
        for (held, comes_to) in [
            (claim(&claims, &this), None),
            (claim(&claims, &other), None),
            (claim(&theirs, &this), Some(Undone::Elsewhere)),
            (claim(&theirs, &other), Some(Undone::OtherCall)),
            (Vec::new(), Some(Undone::Elsewhere)),
            (b"nonsense".to_vec(), Some(Undone::Elsewhere)),
            (theirs.us.as_bytes().to_vec(), Some(Undone::Elsewhere)),
        ] {
            let name = Name::Given([0; 32]);
            assert_eq!(claims.held(&held, name, &this), comes_to, "{held:?}");
        }
    }

    #[test]
    fn claims_of_finished_changes_block_earlier_questions_alone() {
        let (ours, theirs) = (Claims::new(Store::memory()), Claims::new(Store::memory()));
        let key = [7; 32];
        let before = Name::Asked { change: key, asked: Uuid::now_v7() };
        let claim = theirs.value(&Claimed::new(key, &key));
        assert_eq!(claim.len(), CLAIM);
        let ended = [claim.as_slice(), Uuid::now_v7().as_bytes()].concat();
        let after = Name::Asked { change: key, asked: Uuid::now_v7() };
        for (held, name, in_the_way) in [
            (&claim, before, Some(Undone::Elsewhere)),
            (&claim, after, Some(Undone::Elsewhere)),
            (&ended, before, Some(Undone::Elsewhere)),
            (&ended, after, None),
            (&ended, Name::Given(key), Some(Undone::Elsewhere)),
        ] {
            assert_eq!(ours.held(held, name, &key), in_the_way, "{name:?}");
            assert_eq!(ours.is_over(held, name), in_the_way.is_none(), "{name:?}");
        }
        // What is shorter or longer than a mark is none.
        for length in [CLAIM + 1, CLAIM + 15] {
            assert!(!ours.is_over(&ended[..length], after), "{length}");
        }
    }

    #[tokio::test]
    async fn equal_change_after_the_first_is_claimed_anew() {
        let claims = Claims::new(Store::memory());
        let key = [7; 32];
        let name = || Name::Asked { change: key, asked: Uuid::now_v7() };
        for _ in 0..2 {
            let name = name();
            let claimed = claims.take(name, &key, false).await.unwrap().unwrap();
            claims.ended(name, &claimed, Uuid::now_v7()).await;
            assert_eq!(claims.find(name, &key).await, None, "it is our own");
        }
    }
}

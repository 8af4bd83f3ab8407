//! What a replica does, as the others that share its store know of it.
//!
//! Before anything is sent, its name is claimed in the store, for as long as it counts; whoever
//! finds it claimed by another sends nothing. What Octopus answered stays where it was asked.

use std::sync::Arc;

use super::{KEPT, Key, Name, Undone};
use crate::store::{Claim, Store};

/// What claims are called in the store.
const KIND: &str = "deed";

/// The claims of this replica and of the others.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    store: Arc<Store>,
    /// What tells this replica from the others.
    us: uuid::Uuid,
}

impl Claims {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store, us: uuid::Uuid::new_v4() }
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
        let (Name::Given(key) | Name::Asked(key)) = name else { return Ok(None) };
        let claimed = Claimed::new(key, arguments);
        match self.store.claim(KIND, &key, (self.us.as_bytes(), &claimed.what), KEPT).await {
            Claim::Ours => Ok(Some(claimed)),
            // What this replica claimed itself is never another's.
            Claim::Theirs(held) => Err(self.held(&held, arguments).unwrap_or(Undone::Elsewhere)),
            Claim::Unknown if asked_here && matches!(name, Name::Asked(_)) => {
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
        let (Name::Given(key) | Name::Asked(key)) = name else { return None };
        self.held(&self.store.get(KIND, &key).await?, arguments)
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
    fn held(&self, held: &[u8], arguments: &Key) -> Option<Undone> {
        let us = self.us.as_bytes();
        let Some((whose, what)) = held.split_at_checked(us.len()) else {
            return Some(Undone::Elsewhere);
        };
        if whose == us {
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
        let once = uuid::Uuid::new_v4();
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
            assert_eq!(claims.held(&held, &this), comes_to, "{held:?}");
        }
    }
}

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

    /// Claims a deed for this replica. While the store is away, a yes counts where it was asked
    /// for, and so at one replica alone; a name that the caller chose counts nowhere.
    pub(super) async fn take(
        &self,
        name: Name,
        arguments: &Key,
        asked_here: bool,
    ) -> Result<(), Undone> {
        let (Name::Given(key) | Name::Asked(key)) = name else { return Ok(()) };
        let ours = self.ours(arguments);
        match self.store.claim(KIND, &key, &ours, KEPT).await {
            Claim::Ours => Ok(()),
            Claim::Theirs(held) => self.held(&held, arguments).map_or(Ok(()), Err),
            Claim::Unknown if asked_here && matches!(name, Name::Asked(_)) => {
                // The others learn of it when the store is back.
                self.store.put(KIND, &key, &ours, KEPT).await;
                Ok(())
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
    pub(super) async fn give_up(&self, name: Name, arguments: &Key) {
        let (Name::Given(key) | Name::Asked(key)) = name else { return };
        self.store.give_up(KIND, &key, &self.ours(arguments)).await;
    }

    fn ours(&self, arguments: &Key) -> Vec<u8> {
        [self.us.as_bytes().as_slice(), arguments].concat()
    }

    /// What this replica claimed itself, it knows better than the store.
    fn held(&self, held: &[u8], arguments: &Key) -> Option<Undone> {
        let (whose, of) = held.split_at_checked(self.us.as_bytes().len())?;
        if whose == self.us.as_bytes() {
            return None;
        }
        Some(if of == arguments { Undone::Elsewhere } else { Undone::OtherCall })
    }
}

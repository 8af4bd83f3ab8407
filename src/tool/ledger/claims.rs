//! What a replica does, as the others that share its store know of it.
//!
//! Before anything is sent, its name is claimed in the store, for as long as it counts; whoever
//! finds it claimed by another sends nothing. What Octopus answered stays where it was asked.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{KEPT, Key, LONGEST_SEND, Name, Undone};
use crate::store::{Claim, Store};

/// What claims are called in the store.
const KIND: &str = "deed";
/// Number of bytes of a claim: the replica, what the change is bound to, and the attempt, a version
/// 7 UUID. When the change has ended, the time of its end follows as another UUID.
const CLAIM: usize = 16 + 32 + 16;
/// Where the attempt begins.
const ATTEMPT: usize = 16 + 32;
/// A claim without an end mark counts as ended this long after its attempt began, because its replica
/// may have stopped. It is longer than the request can take, with the time to write the claim and a
/// difference of the clocks.
const ABANDONED_AFTER: Duration = LONGEST_SEND.saturating_add(Duration::from_mins(1));

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
        let mut before = None;
        if let Claim::Theirs(old) = &held
            && self.is_over(old, name)
        {
            // An equal change that was made before this one was asked for. Of several replicas that
            // take this step, one has the claim.
            self.store.replace(KIND, &key, (old, &self.value(&claimed)), KEPT).await;
            before = Some(old.clone());
            held = claim().await;
        }
        if let (Some(before), false) = (&before, held == Claim::Ours) {
            // The store may have replaced the claim although it did not confirm this, or may do so
            // later. A claim without an end would block this change at every other replica.
            let claim = self.value(&claimed);
            self.store.replace(KIND, &key, (&claim, before), KEPT).await;
        }
        match held {
            Claim::Ours => Ok(Some(Claimed { before, ..claimed })),
            // What this replica claimed itself is never another's.
            Claim::Theirs(held) => {
                Err(self.held(&held, name, arguments).unwrap_or(Undone::Elsewhere))
            }
            Claim::Unknown if asked_here && matches!(name, Name::Asked { .. }) => {
                // The others learn of it when the store is back, by a claim of its own: the one
                // that nobody knows of is given up then.
                let claimed = Claimed { before, ..Claimed::new(key, arguments) };
                self.store.put(KIND, &key, &self.value(&claimed), KEPT).await;
                Ok(Some(claimed))
            }
            Claim::Unknown => Err(Undone::Unknown),
        }
    }

    /// Returns why a change is not made here, if another replica is making it or made it.
    pub(super) async fn find(&self, name: Name, arguments: &Key) -> Option<Undone> {
        let key = name.lasting()?;
        self.held(&self.store.get(KIND, key).await?, name, arguments)
    }

    /// Says that a change which was approved was made, so that an equal one can be asked for anew,
    /// at any replica. The caller's own key stands for its call as long as it counts.
    pub(super) async fn ended(&self, name: Name, claimed: &Claimed, mark: Uuid) {
        if matches!(name, Name::Asked { .. }) {
            let claim = self.value(claimed);
            self.store.replace(KIND, &claimed.key, (&claim, &ended(&claim, mark)), KEPT).await;
        }
    }

    /// Whether a claim is of a change that had ended before this question was asked. What this replica
    /// claimed itself is over, or nothing would be claimed again.
    fn is_over(&self, held: &[u8], name: Name) -> bool {
        let Name::Asked { asked, .. } = name else { return false };
        if held.starts_with(self.us.as_bytes()) {
            return true;
        }
        match held.get(CLAIM..) {
            Some([]) => {
                let attempt = held.get(ATTEMPT..).and_then(|id| Uuid::from_slice(id).ok());
                let begun = attempt.and_then(time);
                begun
                    .zip(time(asked))
                    .is_some_and(|(begun, asked)| asked >= begun + ABANDONED_AFTER)
            }
            Some(mark) => Uuid::from_slice(mark).is_ok_and(|mark| name.is_after(mark)),
            None => false,
        }
    }

    /// Lets others do it: nothing came of it here. The claim of the equal change before it is written
    /// back, so that questions from before that change stay answered.
    pub(super) async fn give_up(&self, claimed: &Claimed, earlier: Option<Uuid>) {
        let claim = self.value(claimed);
        let earlier = earlier.map(|mark| ended(&claim, mark));
        match claimed.before.as_ref().or(earlier.as_ref()) {
            Some(before) => {
                self.store.replace(KIND, &claimed.key, (&claim, before), KEPT).await;
            }
            None => self.store.give_up(KIND, &claimed.key, &claim, KEPT).await,
        }
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
    /// The claim of an equal change at another replica that this one replaced.
    before: Option<Vec<u8>>,
}

impl Claimed {
    fn new(key: Key, arguments: &Key) -> Self {
        let attempt = Uuid::now_v7();
        Self { key, what: [arguments.as_slice(), attempt.as_bytes()].concat(), before: None }
    }
}

/// The claim of a change that ended at this mark.
fn ended(claim: &[u8], mark: Uuid) -> Vec<u8> {
    [claim, mark.as_bytes()].concat()
}

/// The time in a version 7 UUID, since 1970.
fn time(id: Uuid) -> Option<Duration> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    Some(Duration::new(seconds, nanoseconds))
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

    /// The ID of something that happened this long after now.
    fn later(by: Duration) -> Uuid {
        let (seconds, nanoseconds) = Uuid::now_v7().get_timestamp().unwrap().to_unix();
        let at = Duration::new(seconds, nanoseconds) + by;
        let none = uuid::NoContext;
        Uuid::new_v7(uuid::Timestamp::from_unix(none, at.as_secs(), at.subsec_nanos()))
    }

    /// A replica that was killed, or that could not write the end, blocks nobody for 15 minutes.
    #[test]
    fn unmarked_claim_blocks_later_questions_only_while_its_request_can_run() {
        let (ours, theirs) = (Claims::new(Store::memory()), Claims::new(Store::memory()));
        let key = [7; 32];
        let claim = theirs.value(&Claimed::new(key, &key));
        let second = Duration::from_secs(1);
        for (asked, is_over) in [
            (Duration::ZERO, false),
            (LONGEST_SEND, false),
            (ABANDONED_AFTER.saturating_sub(second), false),
            (ABANDONED_AFTER + second, true),
        ] {
            let name = Name::Asked { change: key, asked: later(asked) };
            assert_eq!(ours.is_over(&claim, name), is_over, "{asked:?}");
            assert_eq!(ours.held(&claim, name, &key).is_none(), is_over, "{asked:?}");
        }
        // A claim that is cut off says nothing about its time, and a chosen key counts on.
        let name = Name::Asked { change: key, asked: later(KEPT) };
        assert!(!ours.is_over(&claim[..CLAIM - 1], name));
        assert!(!ours.is_over(&claim, Name::Given(key)));
    }

    #[tokio::test]
    async fn refused_change_writes_the_claim_before_it_back() {
        let (store, key) = (Store::memory(), [7; 32]);
        let claims = Claims::new(Arc::clone(&store));
        let other = Claims::new(Store::memory());
        let name = || Name::Asked { change: key, asked: Uuid::now_v7() };
        let earlier = name();
        let mark = Uuid::now_v7();
        for (before, mark) in
            [(None, Some(mark)), (Some(ended(&other.value(&Claimed::new(key, &key)), mark)), None)]
        {
            let claimed = claims.take(name(), &key, false).await.unwrap().unwrap();
            claims.give_up(&Claimed { before, ..claimed }, mark).await;
            let held = store.get(KIND, &key).await.expect("the claim before");
            let third = Claims::new(Store::memory());
            assert_eq!(third.held(&held, earlier, &key), Some(Undone::Elsewhere));
            assert_eq!(third.held(&held, name(), &key), None);
        }
        let claimed = claims.take(name(), &key, false).await.unwrap().unwrap();
        claims.give_up(&claimed, None).await;
        assert_eq!(store.get(KIND, &key).await, None);
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

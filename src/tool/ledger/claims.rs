//! Leases in the store: replicas see which changes another replica executes or executed.
//!
//! Before a change is sent, its key is leased in the store for [`KEPT`]. A replica that finds a
//! lease of another one does not send the change. The reply of Octopus stays in the memory of the
//! replica that sent it.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{KEPT, Key, LONGEST_SEND, Name, Undone};
use crate::store::{Claim, Store};

/// Kind of the keys in the store.
const KIND: &str = "deed";
/// Number of bytes of a lease: replica ID (16), digest of the call (32) and attempt, a version 7
/// UUID (16). When the change ends, another UUID with the time of its end is appended.
const CLAIM: usize = 16 + 32 + 16;
/// Offset of the attempt.
const ATTEMPT: usize = 16 + 32;
/// A lease without an end mark counts as ended this long after its attempt began, because its
/// replica may have stopped. This is longer than a request can take, including the time to write
/// the lease and the difference between clocks.
const ABANDONED_AFTER: Duration = LONGEST_SEND.saturating_add(Duration::from_mins(1));

/// Leases of this replica and of the others.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    store: Arc<Store>,
    /// Random ID of this replica.
    us: Uuid,
}

impl Claims {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store, us: Uuid::new_v4() }
    }

    /// Takes the lease of a change for this replica. Returns `None` if the key is not stored.
    ///
    /// While the store is unavailable, an approved change can be executed only by the replica that
    /// issued the approval request. A change with a caller's own key is rejected then.
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
            // An equal change ended before this one was requested. Of several replicas that replace
            // its lease, one gets it.
            self.store.replace(KIND, &key, (old, &self.value(&claimed)), KEPT).await;
            before = Some(old.clone());
            held = claim().await;
        }
        if let (Some(before), false) = (&before, held == Claim::Ours) {
            // The store may have replaced the lease without confirming it, or may do so later. A
            // lease without an end would block this change at every other replica.
            let claim = self.value(&claimed);
            self.store.replace(KIND, &key, (&claim, before), KEPT).await;
        }
        match held {
            Claim::Ours => Ok(Some(Claimed { before, ..claimed })),
            // `Theirs` is a lease of another replica: this replica's own lease is `Ours`.
            Claim::Theirs(held) => {
                Err(self.held(&held, name, arguments).unwrap_or(Undone::Elsewhere))
            }
            Claim::Unknown if asked_here && matches!(name, Name::Asked { .. }) => {
                // The store gets this lease when it is available again. It is a new one, because
                // the lease of unknown state is released then.
                let claimed = Claimed { before, ..Claimed::new(key, arguments) };
                self.store.put(KIND, &key, &self.value(&claimed), KEPT).await;
                Ok(Some(claimed))
            }
            Claim::Unknown => Err(Undone::Unknown),
        }
    }

    /// Returns why a change is not executed here, if another replica executes it or did.
    pub(super) async fn find(&self, name: Name, arguments: &Key) -> Option<Undone> {
        let key = name.lasting()?;
        self.held(&self.store.get(KIND, key).await?, name, arguments)
    }

    /// Marks an approved change as ended, so that an equal change can be requested again at any
    /// replica. A caller's own key stays bound to its call for [`KEPT`].
    pub(super) async fn ended(&self, name: Name, claimed: &Claimed, mark: Uuid) {
        if matches!(name, Name::Asked { .. }) {
            let claim = self.value(claimed);
            self.store.replace(KIND, &claimed.key, (&claim, &ended(&claim, mark)), KEPT).await;
        }
    }

    /// Returns whether a lease is of a change that ended before this approval was requested. A
    /// lease of this replica is always over, because a running change is not leased again.
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

    /// Releases a lease after the change was not made. Restores the lease of the equal change
    /// before it, so that older approval requests still find that change.
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

    /// Returns why a lease prevents the change. This replica ignores its own leases, because its
    /// memory is more current than the store. A malformed lease counts as one of another replica.
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

/// A lease of this replica.
#[derive(Debug)]
pub(super) struct Claimed {
    key: Key,
    /// Digest of the call and ID of the attempt, which distinguish this lease from others of the
    /// same key.
    what: Vec<u8>,
    /// The lease of an equal change at another replica that this one replaced.
    before: Option<Vec<u8>>,
}

impl Claimed {
    fn new(key: Key, arguments: &Key) -> Self {
        let attempt = Uuid::now_v7();
        Self { key, what: [arguments.as_slice(), attempt.as_bytes()].concat(), before: None }
    }
}

/// Returns the lease with the mark of its end.
fn ended(claim: &[u8], mark: Uuid) -> Vec<u8> {
    [claim, mark.as_bytes()].concat()
}

/// Returns the time in a version 7 UUID, since 1970.
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
        // A value with another length than a mark is not a mark.
        for length in [CLAIM + 1, CLAIM + 15] {
            assert!(!ours.is_over(&ended[..length], after), "{length}");
        }
    }

    /// A version 7 UUID with a time that is this long after now.
    fn later(by: Duration) -> Uuid {
        let (seconds, nanoseconds) = Uuid::now_v7().get_timestamp().unwrap().to_unix();
        let at = Duration::new(seconds, nanoseconds) + by;
        let none = uuid::NoContext;
        Uuid::new_v7(uuid::Timestamp::from_unix(none, at.as_secs(), at.subsec_nanos()))
    }

    /// A replica that was killed, or that could not write the end, does not block later requests
    /// for 15 minutes.
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
        // A truncated lease has no time, and a caller's own key stays bound.
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
            let held = store.get(KIND, &key).await.expect("the restored lease");
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
            assert_eq!(claims.find(name, &key).await, None, "the lease of this replica");
        }
    }
}

//! Leases in the store: replicas see which changes another replica executes or executed.
//!
//! Before a change is sent, its key is leased in the store for [`RETENTION`]. A replica that finds a
//! lease of another one does not send the change. The reply of Octopus stays in the memory of the
//! replica that sent it.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{IdempotencyKey, KeyDigest, MAX_SEND_DURATION, NotExecuted, RETENTION};
use crate::store::{LeaseOutcome, Store};

/// Kind of the keys in the store.
const KIND: &str = "deed";
/// Number of bytes of a lease: replica ID (16), digest of the call (32) and attempt, a version 7
/// UUID (16). When the change ends, another UUID with the time of its end is appended.
const LEASE_BYTES: usize = 16 + 32 + 16;
/// Offset of the attempt.
const ATTEMPT_OFFSET: usize = 16 + 32;
/// A lease without an end mark counts as ended this long after its attempt began, because its
/// replica may have stopped. This is longer than a request can take, including the time to write
/// the lease and the difference between clocks.
const ABANDONED_AFTER: Duration = MAX_SEND_DURATION.saturating_add(Duration::from_mins(1));

/// Leases of this replica and of the others.
#[derive(Debug, Clone)]
pub(super) struct Leases {
    store: Arc<Store>,
    /// Random ID of this replica.
    replica: Uuid,
}

impl Leases {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store, replica: Uuid::new_v4() }
    }

    /// Takes the lease of a change for this replica. Returns `None` if the key is not stored.
    ///
    /// While the store is unavailable, an approved change can be executed only by the replica that
    /// issued the approval request. A change with a caller's own key is rejected then.
    pub(super) async fn take(
        &self,
        name: IdempotencyKey,
        arguments: &KeyDigest,
        asked_here: bool,
    ) -> Result<Option<Lease>, NotExecuted> {
        let Some(&key) = name.stored_digest() else { return Ok(None) };
        let claimed = Lease::new(key, arguments);
        let claim = || {
            self.store.acquire_lease(
                KIND,
                &key,
                (self.replica.as_bytes(), &claimed.payload),
                RETENTION,
            )
        };
        let mut held = claim().await;
        let mut before = None;
        if let LeaseOutcome::HeldByOther(old) = &held
            && self.is_over(old, name)
        {
            // An equal change ended before this one was requested. Of several replicas that replace
            // its lease, one gets it.
            self.store.replace(KIND, &key, (old, &self.encode(&claimed)), RETENTION).await;
            before = Some(old.clone());
            held = claim().await;
        }
        if let (Some(before), false) = (&before, held == LeaseOutcome::Acquired) {
            // The store may have replaced the lease without confirming it, or may do so later. A
            // lease without an end would block this change at every other replica.
            let claim = self.encode(&claimed);
            self.store.replace(KIND, &key, (&claim, before), RETENTION).await;
        }
        match held {
            LeaseOutcome::Acquired => Ok(Some(Lease { replaced: before, ..claimed })),
            // `HeldByOther` is a lease of another replica: this replica's own lease is `Acquired`.
            LeaseOutcome::HeldByOther(held) => Err(self
                .blocking_reason(&held, name, arguments)
                .unwrap_or(NotExecuted::OtherReplica)),
            LeaseOutcome::Unknown
                if asked_here && matches!(name, IdempotencyKey::Approved { .. }) =>
            {
                // The store gets this lease when it is available again. It is a new one, because
                // the lease of unknown state is released then.
                let claimed = Lease { replaced: before, ..Lease::new(key, arguments) };
                self.store.put(KIND, &key, &self.encode(&claimed), RETENTION).await;
                Ok(Some(claimed))
            }
            LeaseOutcome::Unknown => Err(NotExecuted::StoreUnavailable),
        }
    }

    /// Returns why a change is not executed here, if another replica executes it or did.
    pub(super) async fn find(
        &self,
        name: IdempotencyKey,
        arguments: &KeyDigest,
    ) -> Option<NotExecuted> {
        let key = name.stored_digest()?;
        self.blocking_reason(&self.store.get(KIND, key).await?, name, arguments)
    }

    /// Marks an approved change as ended, so that an equal change can be requested again at any
    /// replica. A caller's own key stays bound to its call for [`RETENTION`].
    pub(super) async fn mark_ended(&self, name: IdempotencyKey, claimed: &Lease, mark: Uuid) {
        if matches!(name, IdempotencyKey::Approved { .. }) {
            let claim = self.encode(claimed);
            self.store
                .replace(KIND, &claimed.key, (&claim, &with_end_mark(&claim, mark)), RETENTION)
                .await;
        }
    }

    /// Returns whether a lease is of a change that ended before this approval was requested. A
    /// lease of this replica is always over, because a running change is not leased again.
    fn is_over(&self, held: &[u8], name: IdempotencyKey) -> bool {
        let IdempotencyKey::Approved { asked, .. } = name else { return false };
        if held.starts_with(self.replica.as_bytes()) {
            return true;
        }
        match held.get(LEASE_BYTES..) {
            Some([]) => {
                let attempt = held.get(ATTEMPT_OFFSET..).and_then(|id| Uuid::from_slice(id).ok());
                let begun = attempt.and_then(unix_time);
                begun
                    .zip(unix_time(asked))
                    .is_some_and(|(begun, asked)| asked >= begun + ABANDONED_AFTER)
            }
            Some(mark) => Uuid::from_slice(mark).is_ok_and(|mark| name.requested_after(mark)),
            None => false,
        }
    }

    /// Releases a lease after the change was not made. Restores the lease of the equal change
    /// before it, so that older approval requests still find that change.
    pub(super) async fn release(&self, claimed: &Lease, earlier: Option<Uuid>) {
        let claim = self.encode(claimed);
        let earlier = earlier.map(|mark| with_end_mark(&claim, mark));
        match claimed.replaced.as_ref().or(earlier.as_ref()) {
            Some(before) => {
                self.store.replace(KIND, &claimed.key, (&claim, before), RETENTION).await;
            }
            None => self.store.release(KIND, &claimed.key, &claim, RETENTION).await,
        }
    }

    fn encode(&self, claimed: &Lease) -> Vec<u8> {
        [self.replica.as_bytes().as_slice(), &claimed.payload].concat()
    }

    /// Returns why a lease prevents the change. This replica ignores its own leases, because its
    /// memory is more current than the store. A malformed lease counts as one of another replica.
    fn blocking_reason(
        &self,
        held: &[u8],
        name: IdempotencyKey,
        arguments: &KeyDigest,
    ) -> Option<NotExecuted> {
        let us = self.replica.as_bytes();
        let Some((whose, what)) = held.split_at_checked(us.len()) else {
            return Some(NotExecuted::OtherReplica);
        };
        if whose == us || self.is_over(held, name) {
            return None;
        }
        let is_other = what.len() >= arguments.len() && !what.starts_with(arguments);
        Some(if is_other { NotExecuted::KeyReused } else { NotExecuted::OtherReplica })
    }
}

/// A lease of this replica.
#[derive(Debug)]
pub(super) struct Lease {
    key: KeyDigest,
    /// Digest of the call and ID of the attempt, which distinguish this lease from others of the
    /// same key.
    payload: Vec<u8>,
    /// The lease of an equal change at another replica that this one replaced.
    replaced: Option<Vec<u8>>,
}

impl Lease {
    fn new(key: KeyDigest, arguments: &KeyDigest) -> Self {
        let attempt = Uuid::now_v7();
        Self { key, payload: [arguments.as_slice(), attempt.as_bytes()].concat(), replaced: None }
    }
}

/// Returns the lease with the mark of its end.
fn with_end_mark(claim: &[u8], mark: Uuid) -> Vec<u8> {
    [claim, mark.as_bytes()].concat()
}

/// Returns the time in a version 7 UUID, since 1970.
fn unix_time(id: Uuid) -> Option<Duration> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    Some(Duration::new(seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreadable_leases_count_as_foreign() {
        let claims = Leases::new(Store::in_memory());
        let (this, other) = ([1; 32], [2; 32]);
        let theirs = Leases::new(Store::in_memory());
        let claim = |whose: &Leases, of: &KeyDigest| whose.encode(&Lease::new([0; 32], of));
        for (held, comes_to) in [
            (claim(&claims, &this), None),
            (claim(&claims, &other), None),
            (claim(&theirs, &this), Some(NotExecuted::OtherReplica)),
            (claim(&theirs, &other), Some(NotExecuted::KeyReused)),
            (Vec::new(), Some(NotExecuted::OtherReplica)),
            (b"nonsense".to_vec(), Some(NotExecuted::OtherReplica)),
            (theirs.replica.as_bytes().to_vec(), Some(NotExecuted::OtherReplica)),
        ] {
            let name = IdempotencyKey::Caller([0; 32]);
            assert_eq!(claims.blocking_reason(&held, name, &this), comes_to, "{held:?}");
        }
    }

    #[test]
    fn ended_leases_block_only_earlier_requests() {
        let (ours, theirs) = (Leases::new(Store::in_memory()), Leases::new(Store::in_memory()));
        let key = [7; 32];
        let before = IdempotencyKey::Approved { change: key, asked: Uuid::now_v7() };
        let claim = theirs.encode(&Lease::new(key, &key));
        assert_eq!(claim.len(), LEASE_BYTES);
        let ended = [claim.as_slice(), Uuid::now_v7().as_bytes()].concat();
        let after = IdempotencyKey::Approved { change: key, asked: Uuid::now_v7() };
        for (held, name, in_the_way) in [
            (&claim, before, Some(NotExecuted::OtherReplica)),
            (&claim, after, Some(NotExecuted::OtherReplica)),
            (&ended, before, Some(NotExecuted::OtherReplica)),
            (&ended, after, None),
            (&ended, IdempotencyKey::Caller(key), Some(NotExecuted::OtherReplica)),
        ] {
            assert_eq!(ours.blocking_reason(held, name, &key), in_the_way, "{name:?}");
            assert_eq!(ours.is_over(held, name), in_the_way.is_none(), "{name:?}");
        }
        // A value with another length than a mark is not a mark.
        for length in [LEASE_BYTES + 1, LEASE_BYTES + 15] {
            assert!(!ours.is_over(&ended[..length], after), "{length}");
        }
    }

    /// A version 7 UUID with a time that is this long after now.
    fn uuid_after(by: Duration) -> Uuid {
        let (seconds, nanoseconds) = Uuid::now_v7().get_timestamp().unwrap().to_unix();
        let at = Duration::new(seconds, nanoseconds) + by;
        let none = uuid::NoContext;
        Uuid::new_v7(uuid::Timestamp::from_unix(none, at.as_secs(), at.subsec_nanos()))
    }

    /// A replica that was killed, or that could not write the end, does not block later requests
    /// for 15 minutes.
    #[test]
    fn abandoned_lease_expires_after_send_limit() {
        let (ours, theirs) = (Leases::new(Store::in_memory()), Leases::new(Store::in_memory()));
        let key = [7; 32];
        let claim = theirs.encode(&Lease::new(key, &key));
        let second = Duration::from_secs(1);
        for (asked, is_over) in [
            (Duration::ZERO, false),
            (MAX_SEND_DURATION, false),
            (ABANDONED_AFTER.saturating_sub(second), false),
            (ABANDONED_AFTER + second, true),
        ] {
            let name = IdempotencyKey::Approved { change: key, asked: uuid_after(asked) };
            assert_eq!(ours.is_over(&claim, name), is_over, "{asked:?}");
            assert_eq!(ours.blocking_reason(&claim, name, &key).is_none(), is_over, "{asked:?}");
        }
        // A truncated lease has no time, and a caller's own key stays bound.
        let name = IdempotencyKey::Approved { change: key, asked: uuid_after(RETENTION) };
        assert!(!ours.is_over(&claim[..LEASE_BYTES - 1], name));
        assert!(!ours.is_over(&claim, IdempotencyKey::Caller(key)));
    }

    #[tokio::test]
    async fn refused_change_restores_the_previous_lease() {
        let (store, key) = (Store::in_memory(), [7; 32]);
        let claims = Leases::new(Arc::clone(&store));
        let other = Leases::new(Store::in_memory());
        let name = || IdempotencyKey::Approved { change: key, asked: Uuid::now_v7() };
        let earlier = name();
        let mark = Uuid::now_v7();
        for (before, mark) in [
            (None, Some(mark)),
            (Some(with_end_mark(&other.encode(&Lease::new(key, &key)), mark)), None),
        ] {
            let claimed = claims.take(name(), &key, false).await.unwrap().unwrap();
            claims.release(&Lease { replaced: before, ..claimed }, mark).await;
            let held = store.get(KIND, &key).await.expect("the restored lease");
            let third = Leases::new(Store::in_memory());
            assert_eq!(
                third.blocking_reason(&held, earlier, &key),
                Some(NotExecuted::OtherReplica)
            );
            assert_eq!(third.blocking_reason(&held, name(), &key), None);
        }
        let claimed = claims.take(name(), &key, false).await.unwrap().unwrap();
        claims.release(&claimed, None).await;
        assert_eq!(store.get(KIND, &key).await, None);
    }

    #[tokio::test]
    async fn equal_later_change_takes_a_new_lease() {
        let claims = Leases::new(Store::in_memory());
        let key = [7; 32];
        let name = || IdempotencyKey::Approved { change: key, asked: Uuid::now_v7() };
        for _ in 0..2 {
            let name = name();
            let claimed = claims.take(name, &key, false).await.unwrap().unwrap();
            claims.mark_ended(name, &claimed, Uuid::now_v7()).await;
            assert_eq!(claims.find(name, &key).await, None, "the lease of this replica");
        }
    }
}

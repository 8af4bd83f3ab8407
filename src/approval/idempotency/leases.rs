//! Leases in the store. They prevent two replicas from executing the same change.
//!
//! Before a change is sent, its key is leased in the store for [`RETENTION`]. A replica does not
//! send a change whose key another replica has leased. The reply of Octopus stays in the memory of
//! the replica that sent the change.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{IdempotencyKey, KeyDigest, MAX_SEND_DURATION, NotExecuted, RETENTION};
use crate::store::{LeaseOutcome, Store};

/// Kind of the keys in the store. The value is fixed, because replicas of older versions must find
/// the same leases during an upgrade.
const KIND: &str = "deed";
/// Number of bytes of a lease: replica ID (16), digest of the call (32) and attempt, a version 7
/// UUID (16). When the change ends, another UUID with the time of its end is appended.
const LEASE_BYTES: usize = 16 + 32 + 16;
/// Offset of the attempt.
const ATTEMPT_OFFSET: usize = 16 + 32;
/// Time after which a lease without an end mark is over, because its replica may have stopped. It
/// is longer than a request can take, including the time to write the lease and the difference
/// between clocks.
const ABANDONED_AFTER: Duration = MAX_SEND_DURATION.saturating_add(Duration::from_mins(1));

/// Leases of all replicas in the store.
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

    /// Acquires the lease of a change for this replica. Returns `None` if the key is not stored.
    ///
    /// While the store is unavailable, an approved change can be executed only by the replica that
    /// issued the approval request. A change with a caller's own key is rejected then.
    pub(super) async fn take(
        &self,
        key: IdempotencyKey,
        bound_digest: &KeyDigest,
        requested_here: bool,
    ) -> Result<Option<Lease>, NotExecuted> {
        let Some(&digest) = key.stored_digest() else { return Ok(None) };
        let lease = Lease::new(digest, bound_digest);
        let acquire = || {
            self.store.acquire_lease(
                KIND,
                &digest,
                (self.replica.as_bytes(), &lease.payload),
                RETENTION,
            )
        };
        let mut outcome = acquire().await;
        let mut replaced = None;
        if let LeaseOutcome::HeldByOther(old) = &outcome
            && self.is_over(old, key)
        {
            // An equal change ended before this one was requested. If several replicas replace its
            // lease, one of them acquires it.
            self.store.replace(KIND, &digest, (old, &self.encode(&lease)), RETENTION).await;
            replaced = Some(old.clone());
            outcome = acquire().await;
        }
        if let (Some(old), false) = (&replaced, outcome == LeaseOutcome::Acquired) {
            // The store may have replaced the lease without confirming it, or may do so later. A
            // lease without an end would block this change at every other replica.
            let encoded = self.encode(&lease);
            self.store.replace(KIND, &digest, (&encoded, old), RETENTION).await;
        }
        match outcome {
            LeaseOutcome::Acquired => Ok(Some(Lease { replaced, ..lease })),
            // A lease of this replica is `Acquired`, so this is a lease of another replica.
            LeaseOutcome::HeldByOther(held) => Err(self
                .blocking_reason(&held, key, bound_digest)
                .unwrap_or(NotExecuted::OtherReplica)),
            LeaseOutcome::Unknown
                if requested_here && matches!(key, IdempotencyKey::Approved { .. }) =>
            {
                // The lease is written when the store is available again. It is a new lease,
                // because the lease of unknown state is released then.
                let lease = Lease { replaced, ..Lease::new(digest, bound_digest) };
                self.store.put(KIND, &digest, &self.encode(&lease), RETENTION).await;
                Ok(Some(lease))
            }
            LeaseOutcome::Unknown => Err(NotExecuted::StoreUnavailable),
        }
    }

    /// Returns the reason not to execute a change here; `None` unless another replica executes it
    /// or executed it.
    pub(super) async fn find(
        &self,
        key: IdempotencyKey,
        bound_digest: &KeyDigest,
    ) -> Option<NotExecuted> {
        let digest = key.stored_digest()?;
        self.blocking_reason(&self.store.get(KIND, digest).await?, key, bound_digest)
    }

    /// Marks an approved change as ended, so that an equal change can be requested again at any
    /// replica. A caller's own key stays bound to its call for [`RETENTION`].
    pub(super) async fn mark_ended(&self, key: IdempotencyKey, lease: &Lease, mark: Uuid) {
        if matches!(key, IdempotencyKey::Approved { .. }) {
            let encoded = self.encode(lease);
            self.store
                .replace(KIND, &lease.key, (&encoded, &with_end_mark(&encoded, mark)), RETENTION)
                .await;
        }
    }

    /// Returns whether the change of a lease ended before this approval was requested. A lease of
    /// this replica is always over, because a running change is not leased again.
    fn is_over(&self, held: &[u8], key: IdempotencyKey) -> bool {
        let IdempotencyKey::Approved { requested, .. } = key else { return false };
        if held.starts_with(self.replica.as_bytes()) {
            return true;
        }
        match held.get(LEASE_BYTES..) {
            Some([]) => {
                let attempt = held.get(ATTEMPT_OFFSET..).and_then(|id| Uuid::from_slice(id).ok());
                let started = attempt.and_then(unix_time);
                started
                    .zip(unix_time(requested))
                    .is_some_and(|(started, requested)| requested >= started + ABANDONED_AFTER)
            }
            Some(mark) => Uuid::from_slice(mark).is_ok_and(|mark| key.requested_after(mark)),
            None => false,
        }
    }

    /// Releases the lease of a change that was not made. Restores the lease of the previous equal
    /// change, so that older approval requests still find that change.
    pub(super) async fn release(&self, lease: &Lease, previous_end: Option<Uuid>) {
        let encoded = self.encode(lease);
        let previous = previous_end.map(|mark| with_end_mark(&encoded, mark));
        match lease.replaced.as_ref().or(previous.as_ref()) {
            Some(previous) => {
                self.store.replace(KIND, &lease.key, (&encoded, previous), RETENTION).await;
            }
            None => self.store.release(KIND, &lease.key, &encoded, RETENTION).await,
        }
    }

    fn encode(&self, lease: &Lease) -> Vec<u8> {
        [self.replica.as_bytes().as_slice(), &lease.payload].concat()
    }

    /// Returns the reason why a lease prevents the change. This replica ignores its own leases,
    /// because its memory is more current than the store. A malformed lease is treated as a lease
    /// of another replica.
    fn blocking_reason(
        &self,
        held: &[u8],
        key: IdempotencyKey,
        bound_digest: &KeyDigest,
    ) -> Option<NotExecuted> {
        let own_id = self.replica.as_bytes();
        let Some((replica, payload)) = held.split_at_checked(own_id.len()) else {
            return Some(NotExecuted::OtherReplica);
        };
        if replica == own_id || self.is_over(held, key) {
            return None;
        }
        let is_other = payload.len() >= bound_digest.len() && !payload.starts_with(bound_digest);
        Some(if is_other { NotExecuted::KeyReused } else { NotExecuted::OtherReplica })
    }
}

/// A lease of this replica.
#[derive(Debug)]
pub(super) struct Lease {
    key: KeyDigest,
    /// Digest of the call and ID of the attempt, which distinguish leases of the same key.
    payload: Vec<u8>,
    /// The replaced lease of an equal change at another replica.
    replaced: Option<Vec<u8>>,
}

impl Lease {
    fn new(key: KeyDigest, bound_digest: &KeyDigest) -> Self {
        let attempt = Uuid::now_v7();
        Self {
            key,
            payload: [bound_digest.as_slice(), attempt.as_bytes()].concat(),
            replaced: None,
        }
    }
}

/// Returns the lease with its end mark.
fn with_end_mark(encoded: &[u8], mark: Uuid) -> Vec<u8> {
    [encoded, mark.as_bytes()].concat()
}

/// Returns the time in a version 7 UUID as a Unix time.
fn unix_time(id: Uuid) -> Option<Duration> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    Some(Duration::new(seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn treats_unreadable_leases_as_foreign() {
        let own = Leases::new(Store::in_memory());
        let (this, other) = ([1; 32], [2; 32]);
        let foreign = Leases::new(Store::in_memory());
        let encoded = |leases: &Leases, call: &KeyDigest| leases.encode(&Lease::new([0; 32], call));
        for (held, expected) in [
            (encoded(&own, &this), None),
            (encoded(&own, &other), None),
            (encoded(&foreign, &this), Some(NotExecuted::OtherReplica)),
            (encoded(&foreign, &other), Some(NotExecuted::KeyReused)),
            (Vec::new(), Some(NotExecuted::OtherReplica)),
            (b"nonsense".to_vec(), Some(NotExecuted::OtherReplica)),
            (foreign.replica.as_bytes().to_vec(), Some(NotExecuted::OtherReplica)),
        ] {
            let name = IdempotencyKey::Caller([0; 32]);
            assert_eq!(own.blocking_reason(&held, name, &this), expected, "{held:?}");
        }
    }

    #[test]
    fn ended_leases_block_only_earlier_requests() {
        let (own, foreign) = (Leases::new(Store::in_memory()), Leases::new(Store::in_memory()));
        let key = [7; 32];
        let before = IdempotencyKey::Approved { change: key, requested: Uuid::now_v7() };
        let encoded = foreign.encode(&Lease::new(key, &key));
        assert_eq!(encoded.len(), LEASE_BYTES);
        let ended = [encoded.as_slice(), Uuid::now_v7().as_bytes()].concat();
        let after = IdempotencyKey::Approved { change: key, requested: Uuid::now_v7() };
        for (held, name, expected) in [
            (&encoded, before, Some(NotExecuted::OtherReplica)),
            (&encoded, after, Some(NotExecuted::OtherReplica)),
            (&ended, before, Some(NotExecuted::OtherReplica)),
            (&ended, after, None),
            (&ended, IdempotencyKey::Caller(key), Some(NotExecuted::OtherReplica)),
        ] {
            assert_eq!(own.blocking_reason(held, name, &key), expected, "{name:?}");
            assert_eq!(own.is_over(held, name), expected.is_none(), "{name:?}");
        }
        // A value with another length than a mark is not a mark.
        for length in [LEASE_BYTES + 1, LEASE_BYTES + 15] {
            assert!(!own.is_over(&ended[..length], after), "{length}");
        }
    }

    /// Returns a version 7 UUID whose time is this long after now.
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
        let (own, foreign) = (Leases::new(Store::in_memory()), Leases::new(Store::in_memory()));
        let key = [7; 32];
        let encoded = foreign.encode(&Lease::new(key, &key));
        let second = Duration::from_secs(1);
        for (requested, is_over) in [
            (Duration::ZERO, false),
            (MAX_SEND_DURATION, false),
            (ABANDONED_AFTER.saturating_sub(second), false),
            (ABANDONED_AFTER + second, true),
        ] {
            let name = IdempotencyKey::Approved { change: key, requested: uuid_after(requested) };
            assert_eq!(own.is_over(&encoded, name), is_over, "{requested:?}");
            assert_eq!(
                own.blocking_reason(&encoded, name, &key).is_none(),
                is_over,
                "{requested:?}"
            );
        }
        // A truncated lease has no time, and a caller's own key stays bound.
        let name = IdempotencyKey::Approved { change: key, requested: uuid_after(RETENTION) };
        assert!(!own.is_over(&encoded[..LEASE_BYTES - 1], name));
        assert!(!own.is_over(&encoded, IdempotencyKey::Caller(key)));
    }

    #[tokio::test]
    async fn rejected_change_restores_the_previous_lease() {
        let (store, key) = (Store::in_memory(), [7; 32]);
        let own = Leases::new(Arc::clone(&store));
        let other = Leases::new(Store::in_memory());
        let name = || IdempotencyKey::Approved { change: key, requested: Uuid::now_v7() };
        let earlier = name();
        let mark = Uuid::now_v7();
        for (before, mark) in [
            (None, Some(mark)),
            (Some(with_end_mark(&other.encode(&Lease::new(key, &key)), mark)), None),
        ] {
            let lease = own.take(name(), &key, false).await.unwrap().unwrap();
            own.release(&Lease { replaced: before, ..lease }, mark).await;
            let held = store.get(KIND, &key).await.expect("the restored lease");
            let third = Leases::new(Store::in_memory());
            assert_eq!(
                third.blocking_reason(&held, earlier, &key),
                Some(NotExecuted::OtherReplica)
            );
            assert_eq!(third.blocking_reason(&held, name(), &key), None);
        }
        let lease = own.take(name(), &key, false).await.unwrap().unwrap();
        own.release(&lease, None).await;
        assert_eq!(store.get(KIND, &key).await, None);
    }

    #[tokio::test]
    async fn equal_later_change_takes_a_new_lease() {
        let own = Leases::new(Store::in_memory());
        let key = [7; 32];
        let name = || IdempotencyKey::Approved { change: key, requested: Uuid::now_v7() };
        for _ in 0..2 {
            let name = name();
            let lease = own.take(name, &key, false).await.unwrap().unwrap();
            own.mark_ended(name, &lease, Uuid::now_v7()).await;
            assert_eq!(own.find(name, &key).await, None, "the lease of this replica");
        }
    }
}

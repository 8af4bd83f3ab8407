//! Records which changes were executed, also after their replies were evicted.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use uuid::Uuid;

use super::{IdempotencyKey, KeyDigest, NotExecuted, RETENTION};

/// Maximum number of recorded changes. Further changes with a key are rejected.
const MAX_CHANGES: usize = 100_000;

/// Changes that were executed or are running.
#[derive(Debug)]
pub(super) struct ExecutedChanges {
    by_key: HashMap<KeyDigest, ExecutedChange>,
    /// Oldest first.
    queue: VecDeque<(Instant, KeyDigest)>,
    capacity: usize,
}

/// One executed or running change.
#[derive(Debug)]
struct ExecutedChange {
    /// Digest of the call.
    bound_digest: KeyDigest,
    started: Instant,
    /// Time of its end, as a version 7 UUID.
    ended: Option<Uuid>,
    /// Time at which the previous equal change ended.
    previous_end: Option<Uuid>,
}

impl Default for ExecutedChanges {
    fn default() -> Self {
        Self::with_capacity(MAX_CHANGES)
    }
}

impl ExecutedChanges {
    /// Creates a set with this capacity.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { by_key: HashMap::new(), queue: VecDeque::new(), capacity }
    }

    /// Returns the reason not to execute the change with this key; `None` if it was not executed.
    pub(super) fn reason_not_to_execute(
        &mut self,
        key: IdempotencyKey,
        bound_digest: &KeyDigest,
    ) -> Option<NotExecuted> {
        while let Some((started, digest)) = self.queue.front()
            && started.elapsed() >= RETENTION
        {
            // An equal change may have been executed again since.
            if self.by_key.get(digest).is_some_and(|change| change.started == *started) {
                self.by_key.remove(digest);
            }
            self.queue.pop_front();
        }
        let executed = self.by_key.get(key.digest())?;
        if executed.ended.is_some_and(|mark| key.requested_after(mark)) {
            return None;
        }
        Some(if executed.bound_digest == *bound_digest {
            NotExecuted::ReplyEvicted
        } else {
            NotExecuted::KeyReused
        })
    }

    /// Records the start of a change. Changes without an approval or a caller's own key are not
    /// recorded. Returns the time at which the previous equal change ended.
    pub(super) fn begin(
        &mut self,
        key: IdempotencyKey,
        bound_digest: KeyDigest,
    ) -> Result<Option<Uuid>, NotExecuted> {
        let Some(digest) = key.stored_digest() else { return Ok(None) };
        if let Some(not_executed) = self.reason_not_to_execute(key, &bound_digest) {
            return Err(not_executed);
        }
        if self.queue.len() >= self.capacity {
            return Err(NotExecuted::CapacityReached);
        }
        let started = Instant::now();
        let previous_end = self.by_key.get(digest).and_then(|change| change.ended);
        self.by_key
            .insert(*digest, ExecutedChange { bound_digest, started, ended: None, previous_end });
        self.queue.push_back((started, *digest));
        Ok(previous_end)
    }

    /// Records the end of a change.
    pub(super) fn mark_ended(&mut self, key: IdempotencyKey, mark: Uuid) {
        if let Some(change) = self.by_key.get_mut(key.digest()) {
            change.ended = Some(mark);
        }
    }

    /// Removes a change that was not made, and restores the previous equal change.
    pub(super) fn remove(&mut self, key: IdempotencyKey) {
        let Some(mut change) = self.by_key.remove(key.digest()) else { return };
        let restored = change.previous_end.take();
        // The restored change needs one entry in the queue.
        let kept = restored.map(|_| change.started);
        self.queue.retain(|(started, digest)| digest != key.digest() || Some(*started) == kept);
        if restored.is_some() {
            self.by_key.insert(*key.digest(), ExecutedChange { ended: restored, ..change });
        }
    }
}

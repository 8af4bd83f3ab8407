//! Remembers which changes were executed, also after their replies were evicted.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use uuid::Uuid;

use super::{IdempotencyKey, KeyDigest, NotExecuted, RETENTION};

/// Maximum number of executed changes. Beyond it, no change is executed.
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
    /// When it ended, as a version 7 UUID.
    ended: Option<Uuid>,
    /// When the equal change before this one ended.
    previous_end: Option<Uuid>,
}

impl Default for ExecutedChanges {
    fn default() -> Self {
        Self::with_capacity(MAX_CHANGES)
    }
}

impl ExecutedChanges {
    /// Creates a set with this capacity.
    pub(super) fn with_capacity(most: usize) -> Self {
        Self { by_key: HashMap::new(), queue: VecDeque::new(), capacity: most }
    }

    /// Returns why the change with this key is not executed again, if it was executed.
    pub(super) fn reason_not_to_execute(
        &mut self,
        name: IdempotencyKey,
        arguments: &KeyDigest,
    ) -> Option<NotExecuted> {
        while let Some((since, key)) = self.queue.front()
            && since.elapsed() >= RETENTION
        {
            // An equal change may have been executed again since.
            if self.by_key.get(key).is_some_and(|one| one.started == *since) {
                self.by_key.remove(key);
            }
            self.queue.pop_front();
        }
        let done = self.by_key.get(name.digest())?;
        if done.ended.is_some_and(|mark| name.requested_after(mark)) {
            return None;
        }
        Some(if done.bound_digest == *arguments {
            NotExecuted::ReplyEvicted
        } else {
            NotExecuted::KeyReused
        })
    }

    /// Records that a change starts. Changes without an approval or a caller's own key are not
    /// recorded. Returns when the equal change before this one ended.
    pub(super) fn begin(
        &mut self,
        name: IdempotencyKey,
        arguments: KeyDigest,
    ) -> Result<Option<Uuid>, NotExecuted> {
        let Some(key) = name.stored_digest() else { return Ok(None) };
        if let Some(undone) = self.reason_not_to_execute(name, &arguments) {
            return Err(undone);
        }
        if self.queue.len() >= self.capacity {
            return Err(NotExecuted::CapacityReached);
        }
        let since = Instant::now();
        let before = self.by_key.get(key).and_then(|one| one.ended);
        self.by_key.insert(
            *key,
            ExecutedChange {
                bound_digest: arguments,
                started: since,
                ended: None,
                previous_end: before,
            },
        );
        self.queue.push_back((since, *key));
        Ok(before)
    }

    /// Records when a change ended.
    pub(super) fn mark_ended(&mut self, name: IdempotencyKey, mark: Uuid) {
        if let Some(one) = self.by_key.get_mut(name.digest()) {
            one.ended = Some(mark);
        }
    }

    /// Removes a change that was not made. The equal change before it counts again.
    pub(super) fn forget(&mut self, name: IdempotencyKey) {
        let Some(mut one) = self.by_key.remove(name.digest()) else { return };
        let restored = one.previous_end.take();
        // The change that counts again needs one entry in the queue.
        let kept = restored.map(|_| one.started);
        self.queue.retain(|(since, key)| key != name.digest() || Some(*since) == kept);
        if restored.is_some() {
            self.by_key.insert(*name.digest(), ExecutedChange { ended: restored, ..one });
        }
    }
}

//! Remembers which changes were executed, also after their replies were evicted.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use uuid::Uuid;

use super::{KEPT, Key, Name, Undone};

/// Maximum number of executed changes. Beyond it, no change is executed.
const MOST: usize = 100_000;

/// Changes that were executed or are running.
#[derive(Debug)]
pub(super) struct Done {
    known: HashMap<Key, One>,
    /// Oldest first.
    since: VecDeque<(Instant, Key)>,
    most: usize,
}

/// One executed or running change.
#[derive(Debug)]
struct One {
    /// Digest of the call.
    arguments: Key,
    since: Instant,
    /// When it ended, as a version 7 UUID.
    ended: Option<Uuid>,
    /// When the equal change before this one ended.
    before: Option<Uuid>,
}

impl Default for Done {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Done {
    /// Creates a set with this capacity.
    pub(super) fn of(most: usize) -> Self {
        Self { known: HashMap::new(), since: VecDeque::new(), most }
    }

    /// Returns why the change with this key is not executed again, if it was executed.
    pub(super) fn undone(&mut self, name: Name, arguments: &Key) -> Option<Undone> {
        while let Some((since, key)) = self.since.front()
            && since.elapsed() >= KEPT
        {
            // An equal change may have been executed again since.
            if self.known.get(key).is_some_and(|one| one.since == *since) {
                self.known.remove(key);
            }
            self.since.pop_front();
        }
        let done = self.known.get(name.key())?;
        if done.ended.is_some_and(|mark| name.is_after(mark)) {
            return None;
        }
        Some(if done.arguments == *arguments { Undone::Forgotten } else { Undone::OtherCall })
    }

    /// Records that a change starts. Changes without an approval or a caller's own key are not
    /// recorded. Returns when the equal change before this one ended.
    pub(super) fn begin(&mut self, name: Name, arguments: Key) -> Result<Option<Uuid>, Undone> {
        let Some(key) = name.lasting() else { return Ok(None) };
        if let Some(undone) = self.undone(name, &arguments) {
            return Err(undone);
        }
        if self.since.len() >= self.most {
            return Err(Undone::Full);
        }
        let since = Instant::now();
        let before = self.known.get(key).and_then(|one| one.ended);
        self.known.insert(*key, One { arguments, since, ended: None, before });
        self.since.push_back((since, *key));
        Ok(before)
    }

    /// Records when a change ended.
    pub(super) fn ended(&mut self, name: Name, mark: Uuid) {
        if let Some(one) = self.known.get_mut(name.key()) {
            one.ended = Some(mark);
        }
    }

    /// Removes a change that was not made. The equal change before it counts again.
    pub(super) fn forget(&mut self, name: Name) {
        let Some(mut one) = self.known.remove(name.key()) else { return };
        let restored = one.before.take();
        // The change that counts again needs one entry in the queue.
        let kept = restored.map(|_| one.since);
        self.since.retain(|(since, key)| key != name.key() || Some(*since) == kept);
        if restored.is_some() {
            self.known.insert(*name.key(), One { ended: restored, ..one });
        }
    }
}

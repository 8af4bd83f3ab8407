//! That something was done not long ago, by the name that it has, whatever became of the answer.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use uuid::Uuid;

use super::{KEPT, Key, Name, Undone};

/// How many deeds are known at once. While there are more, nothing is done.
const MOST: usize = 100_000;

/// What was done, or is being done.
#[derive(Debug)]
pub(super) struct Done {
    known: HashMap<Key, One>,
    /// The oldest first.
    since: VecDeque<(Instant, Key)>,
    most: usize,
}

/// One change that is known.
#[derive(Debug)]
struct One {
    /// What it was done with.
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
    /// So many deeds at most.
    pub(super) fn of(most: usize) -> Self {
        Self { known: HashMap::new(), since: VecDeque::new(), most }
    }

    /// Why what has this name is not done again, where it was done.
    pub(super) fn undone(&mut self, name: Name, arguments: &Key) -> Option<Undone> {
        while let Some((since, key)) = self.since.front()
            && since.elapsed() >= KEPT
        {
            // The same change may have been made again since.
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

    /// Remembers that this is done from now on. A call that nobody was asked about has no name that
    /// counts for longer than its answer. Returns when the equal change before this one ended.
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

    /// Remembers when it ended.
    pub(super) fn ended(&mut self, name: Name, mark: Uuid) {
        if let Some(one) = self.known.get_mut(name.key()) {
            one.ended = Some(mark);
        }
    }

    /// Forgets that this was done. The equal change before it counts again.
    pub(super) fn forget(&mut self, name: Name) {
        let Some(mut one) = self.known.remove(name.key()) else { return };
        let restored = one.before.take();
        // One entry in the queue is enough for the change that counts again.
        let kept = restored.map(|_| one.since);
        self.since.retain(|(since, key)| key != name.key() || Some(*since) == kept);
        if restored.is_some() {
            self.known.insert(*name.key(), One { ended: restored, ..one });
        }
    }
}

//! That something was done not long ago, by the name that it has, whatever became of the answer.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use super::{KEPT, Key, Name, Undone};

/// How many deeds are known at once. While there are more, nothing is done.
const MOST: usize = 100_000;

/// What was done, or is being done.
#[derive(Debug)]
pub(super) struct Done {
    /// What each was done with, by its name.
    arguments: HashMap<Key, Key>,
    /// The oldest first.
    since: VecDeque<(Instant, Key)>,
    most: usize,
}

impl Default for Done {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Done {
    /// So many deeds at most.
    pub(super) fn of(most: usize) -> Self {
        Self { arguments: HashMap::new(), since: VecDeque::new(), most }
    }

    /// Why what has this name is not done again, where it was done.
    pub(super) fn undone(&mut self, name: Name, arguments: &Key) -> Option<Undone> {
        while let Some((since, key)) = self.since.front()
            && since.elapsed() >= KEPT
        {
            self.arguments.remove(key);
            self.since.pop_front();
        }
        let done = self.arguments.get(name.key())?;
        Some(if done == arguments { Undone::Forgotten } else { Undone::OtherCall })
    }

    /// Remembers that this is done from now on. A call that nobody was asked about has no name that
    /// counts for longer than its answer.
    pub(super) fn begin(&mut self, name: Name, arguments: Key) -> Result<(), Undone> {
        let (Name::Given(key) | Name::Asked(key)) = name else { return Ok(()) };
        if let Some(undone) = self.undone(name, &arguments) {
            return Err(undone);
        }
        if self.since.len() >= self.most {
            return Err(Undone::Full);
        }
        self.arguments.insert(key, arguments);
        self.since.push_back((Instant::now(), key));
        Ok(())
    }

    /// Forgets that this was done.
    pub(super) fn forget(&mut self, name: Name) {
        if self.arguments.remove(name.key()).is_some() {
            self.since.retain(|(_, key)| key != name.key());
        }
    }
}

//! Journal of requests, for assertions in tests.

use std::collections::VecDeque;

use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;

const KEPT: usize = 10_000;

/// One request to the sample instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// The method, such as `GET`.
    pub method: String,
    /// The path as it arrived, with the virtual directory, if any.
    pub path: String,
    /// The query string, not decoded, without an API key.
    pub query: Option<String>,
    /// User name of the credential; `None` for a missing or wrong credential.
    pub user: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// Body of a `POST`, `PUT` or `PATCH`: JSON, or else a string; `None` for an empty body.
    pub body: Option<Value>,
    /// Status of the response; `None` until it is sent, or if the client disconnected first.
    pub status: Option<u16>,
}

/// The newest requests, in order of arrival.
#[derive(Default)]
pub(super) struct Journal {
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    /// Number of dropped entries.
    dropped: usize,
    entries: VecDeque<JournalEntry>,
}

impl Journal {
    /// Adds a request and returns its number.
    pub(super) fn add(&self, entry: JournalEntry) -> usize {
        let mut state = self.locked();
        if state.entries.len() == KEPT {
            state.entries.pop_front();
            state.dropped += 1;
        }
        state.entries.push_back(entry);
        state.dropped + state.entries.len() - 1
    }

    /// Sets the status of the request with this number, if it is still kept.
    pub(super) fn set_status(&self, number: usize, status: u16) {
        let mut state = self.locked();
        let position = number.checked_sub(state.dropped);
        if let Some(entry) = position.and_then(|position| state.entries.get_mut(position)) {
            entry.status = Some(status);
        }
    }

    pub(super) fn entries(&self) -> Vec<JournalEntry> {
        self.locked().entries.iter().cloned().collect()
    }

    /// Returns the write requests, with any outcome. A request for a token or for previews changes
    /// nothing.
    pub(super) fn changes(&self) -> Vec<JournalEntry> {
        let is_read =
            |path: &str| path.ends_with("/token/v1") || path.to_lowercase().ends_with("/previews");
        let is_change = |entry: &&JournalEntry| {
            !matches!(entry.method.as_str(), "GET" | "HEAD") && !is_read(&entry.path)
        };
        self.locked().entries.iter().filter(is_change).cloned().collect()
    }

    pub(super) fn clear(&self) {
        let mut state = self.locked();
        state.dropped += state.entries.len();
        state.entries.clear();
    }

    fn locked(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_newest_entries_and_sets_statuses() {
        let journal = Journal::default();
        let entry = |path: usize| JournalEntry {
            method: "GET".to_owned(),
            path: path.to_string(),
            query: None,
            user: None,
            user_agent: None,
            body: None,
            status: None,
        };
        let numbers: Vec<usize> = (0..KEPT + 5).map(|path| journal.add(entry(path))).collect();
        journal.set_status(numbers[2], 200);
        journal.set_status(numbers[KEPT], 404);
        let entries = journal.entries();
        assert_eq!(entries.len(), KEPT);
        assert_eq!(entries[0].path, "5");
        let answered: Vec<&JournalEntry> =
            entries.iter().filter(|entry| entry.status.is_some()).collect();
        assert_eq!(answered.len(), 1);
        assert_eq!((answered[0].path.as_str(), answered[0].status), ("10000", Some(404)));
        journal.clear();
        let number = journal.add(entry(0));
        journal.set_status(number, 200);
        assert_eq!(journal.entries()[0].status, Some(200));
    }
}

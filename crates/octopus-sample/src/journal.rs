//! What the sample instance was asked, for tests to look at.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

const KEPT: usize = 10_000;

/// One request the sample instance answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The method, such as `GET`.
    pub method: String,
    /// The path as it arrived, with the virtual directory if there was one.
    pub path: String,
    /// What stood behind the `?`, not decoded; without an API key, should one have been there.
    pub query: Option<String>,
    /// The user name the credential stands for; `None` where there was none or a wrong one.
    pub user: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// What came with a `POST`, `PUT` or `PATCH`: JSON, or else a text; `None` where nothing came.
    pub body: Option<Value>,
    /// The status of the answer; `None` while there is none, or where the caller hung up first.
    pub status: Option<u16>,
}

/// The newest requests, in the order they arrived.
#[derive(Default)]
pub(super) struct Journal {
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    /// How many entries stood before the first that is kept.
    gone: usize,
    entries: VecDeque<Entry>,
}

impl Journal {
    /// Writes down a request and gives its number.
    pub(super) fn add(&self, entry: Entry) -> usize {
        let mut pages = self.locked();
        if pages.entries.len() == KEPT {
            pages.entries.pop_front();
            pages.gone += 1;
        }
        pages.entries.push_back(entry);
        pages.gone + pages.entries.len() - 1
    }

    /// Adds the status to the request with this number, if it is still there.
    pub(super) fn answered(&self, number: usize, status: u16) {
        let mut pages = self.locked();
        let position = number.checked_sub(pages.gone);
        if let Some(entry) = position.and_then(|position| pages.entries.get_mut(position)) {
            entry.status = Some(status);
        }
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.locked().entries.iter().cloned().collect()
    }

    /// The requests that wanted to change something, whatever became of them.
    pub(super) fn changes(&self) -> Vec<Entry> {
        let is_change = |entry: &&Entry| {
            !matches!(entry.method.as_str(), "GET" | "HEAD") && !entry.path.ends_with("/token/v1")
        };
        self.locked().entries.iter().filter(is_change).cloned().collect()
    }

    pub(super) fn clear(&self) {
        let mut pages = self.locked();
        pages.gone += pages.entries.len();
        pages.entries.clear();
    }

    fn locked(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_are_kept_and_answers_find_their_request() {
        let journal = Journal::default();
        let entry = |path: usize| Entry {
            method: "GET".to_owned(),
            path: path.to_string(),
            query: None,
            user: None,
            user_agent: None,
            body: None,
            status: None,
        };
        let numbers: Vec<usize> = (0..KEPT + 5).map(|path| journal.add(entry(path))).collect();
        journal.answered(numbers[2], 200);
        journal.answered(numbers[KEPT], 404);
        let entries = journal.entries();
        assert_eq!(entries.len(), KEPT);
        assert_eq!(entries[0].path, "5");
        let answered: Vec<&Entry> = entries.iter().filter(|entry| entry.status.is_some()).collect();
        assert_eq!(answered.len(), 1);
        assert_eq!((answered[0].path.as_str(), answered[0].status), ("10000", Some(404)));
        journal.clear();
        let number = journal.add(entry(0));
        journal.answered(number, 200);
        assert_eq!(journal.entries()[0].status, Some(200));
    }
}

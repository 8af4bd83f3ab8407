//! Pages of lists: one shape for all tools.

use schemars::JsonSchema;
use serde::Serialize;

use crate::octopus::{PageRange, UnreadableItem};

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    items: Vec<T>,
    /// Total number of items.
    total_results: u32,
    items_per_page: u32,
    number_of_pages: u32,
    /// Number of the last page; the first page is 0.
    last_page_number: u32,
    skip: u32,
    take: u32,
    /// The `skip` of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_skip: Option<u32>,
    /// Reason for the empty result, and a next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// Parts of the list that Octopus did not return. Absent if it is complete.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    incomplete: Vec<String>,
}

impl<T> List<T> {
    /// Creates a page of a list with `total` items.
    pub fn new(window: PageRange, total: u32, items: Vec<T>) -> Self {
        let PageRange { skip, take } = window;
        let pages = total.div_ceil(take.max(1)).max(1);
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let next = skip.saturating_add(count);
        Self {
            items,
            total_results: total,
            items_per_page: take,
            number_of_pages: pages,
            last_page_number: pages - 1,
            skip,
            take,
            next_skip: (count > 0 && next < total).then_some(next),
            hint: (count == 0 && total > 0)
                .then(|| format!("`skip` is past the end: the list has {total} items")),
            incomplete: Vec::new(),
        }
    }

    /// Adds descriptions of missing parts.
    #[must_use]
    pub fn with_incomplete(mut self, missing: impl IntoIterator<Item = String>) -> Self {
        self.incomplete.extend(missing);
        self
    }

    /// Adds the items of the page that could not be read: they are described in `incomplete`, and
    /// the next page begins after them.
    #[must_use]
    pub fn with_unreadable(mut self, unreadable: &[UnreadableItem]) -> Self {
        if unreadable.is_empty() {
            return self;
        }
        let received = u32::try_from(self.items.len() + unreadable.len()).unwrap_or(u32::MAX);
        let next = self.skip.saturating_add(received);
        self.next_skip = (next < self.total_results).then_some(next);
        self.hint = None;
        self.with_incomplete(UnreadableItem::describe(unreadable))
    }

    /// Adds a hint if the list is empty.
    #[must_use]
    pub fn with_hint_if_empty(mut self, hint: impl FnOnce() -> String) -> Self {
        if self.total_results == 0 && self.items.is_empty() && self.incomplete.is_empty() {
            self.hint = Some(hint());
        }
        self
    }
}

/// The ID of a document with its name.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NamedId {
    /// Its ID.
    pub id: String,
    /// Its name; absent if the caller cannot read the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn following_next_skip_visits_every_item_once(total in 0u32..500, take in 1u32..101) {
            let mut visited = Vec::new();
            let mut skip = 0;
            loop {
                let items: Vec<u32> = (skip..total.min(skip + take)).collect();
                let list = List::new(PageRange { skip, take }, total, items);
                prop_assert_eq!(list.number_of_pages, list.last_page_number + 1);
                visited.extend(list.items);
                match list.next_skip {
                    Some(next) => skip = next,
                    None => break,
                }
            }
            prop_assert_eq!(visited, (0..total).collect::<Vec<_>>());
        }
    }

    #[test]
    fn next_page_begins_after_unreadable_items() {
        let item = || UnreadableItem { id: None, field: "Id".to_owned() };
        let list = |items: Vec<u32>, unreadable: usize| {
            let unreadable: Vec<_> = (0..unreadable).map(|_| item()).collect();
            let window = PageRange { skip: 3, take: 3 };
            List::new(window, 9, items).with_unreadable(&unreadable)
        };
        assert_eq!(list(vec![1, 2], 1).next_skip, Some(6));
        assert_eq!(list(vec![], 3).next_skip, Some(6));
        assert_eq!((list(vec![], 3).hint, list(vec![], 3).incomplete.len()), (None, 1));
        assert!(list(vec![1, 2, 3], 0).incomplete.is_empty());
    }

    #[test]
    fn empty_pages_have_a_hint() {
        let past = List::new(PageRange { skip: 90, take: 30 }, 12, Vec::<u32>::new());
        assert!(past.hint.unwrap().contains("the list has 12 items"));
        let nothing = List::new(PageRange { skip: 0, take: 30 }, 0, Vec::<u32>::new());
        assert_eq!(nothing.with_hint_if_empty(|| "none".to_owned()).hint.as_deref(), Some("none"));
    }
}

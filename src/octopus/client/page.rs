//! Pages of lists.

use serde::Deserialize;

/// The requested part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRange {
    /// Number of items to skip.
    pub skip: u32,
    /// Maximum number of items to return.
    pub take: u32,
}

impl PageRange {
    /// Returns the range of the first `take` items.
    pub(in crate::octopus) fn first(take: usize) -> Self {
        Self { skip: 0, take: u32::try_from(take).unwrap_or(u32::MAX) }
    }
}

/// One page of a list, as Octopus sends it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Page<T> {
    /// Items of this page.
    pub items: Vec<T>,
    /// Number of items in the whole list.
    #[serde(default)]
    pub total_results: u32,
}

impl<T> Page<T> {
    /// Drops items outside the requested range. Items after the range count in `total_results`, so
    /// that the list reports further items. An instance that ignores paging sends the whole list,
    /// including the items before the range.
    pub(in crate::octopus) fn trimmed_to(mut self, PageRange { skip, take }: PageRange) -> Self {
        let received = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        if received == self.total_results {
            self.items.drain(..skip.min(received) as usize);
        } else if received > take {
            self.total_results = self.total_results.max(skip.saturating_add(received));
        }
        self.items.truncate(take as usize);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_but_counts_items_outside_the_range() {
        let page = || Page { items: (0..500).collect::<Vec<_>>(), total_results: 7 };
        let cut = page().trimmed_to(PageRange { skip: 10, take: 30 });
        assert_eq!((cut.items, cut.total_results), ((0..30).collect(), 510));
        let all =
            Page { total_results: 500, ..page() }.trimmed_to(PageRange { skip: 490, take: 30 });
        assert_eq!((all.items, all.total_results), ((490..500).collect(), 500));
        let page_of_all = |skip| {
            Page { items: (0..20).collect::<Vec<_>>(), total_results: 20 }
                .trimmed_to(PageRange { skip, take: 30 })
        };
        assert_eq!(page_of_all(0).items.len(), 20);
        assert_eq!(page_of_all(15).items, (15..20).collect::<Vec<_>>());
        assert_eq!((page_of_all(30).items.len(), page_of_all(30).total_results), (0, 20));
        let whole = page().trimmed_to(PageRange { skip: 10, take: 500 });
        assert_eq!((whole.items.len(), whole.total_results), (500, 7));
    }
}

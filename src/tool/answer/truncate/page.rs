//! Cuts a page between its items, so that a caller can continue with the next page.

use serde_json::Value;

use super::json_size;

/// The position of the next page.
pub(super) struct NextPage {
    /// Number of items that were kept.
    pub(super) kept: usize,
    /// The `skip` of the next call.
    pub(super) skip: u64,
    /// Text for the note: the argument that contains `skip`, if it is not an argument itself.
    pub(super) location: &'static str,
}

/// Path of the items in a page that is returned as Octopus sent it.
const OCTOPUS_ITEMS: &str = "/response/Items";

/// Keeps as many items of a page as fit into `budget` bytes, but at least the first item, so that
/// the caller can continue after it.
///
/// A page is an answer with a `skip`. Its items are its first list, or the list in a page of
/// Octopus that it contains. Returns `None` if the answer is not a page or keeps all items.
pub(super) fn truncate_page(answer: &mut Value, budget: usize) -> Option<NextPage> {
    let skip = answer.get("skip")?.as_u64()?;
    let list_key = answer.as_object()?.iter().find(|(_, value)| value.is_array());
    let list_key = list_key.map(|(key, _)| key.clone());
    let location = if list_key.is_some() { "" } else { " in `query`" };
    let page_size = json_size(answer);
    let list = match list_key {
        Some(key) => answer.get_mut(&key)?,
        None => answer.pointer_mut(OCTOPUS_ITEMS)?,
    };
    let mut remaining = budget.saturating_sub(page_size - json_size(list));
    let items = list.as_array_mut()?;
    let mut kept = 0;
    for item in &*items {
        match remaining.checked_sub(json_size(item) + 1) {
            Some(rest) => remaining = rest,
            None => break,
        }
        kept += 1;
    }
    let kept = kept.max(1);
    if kept >= items.len() {
        return None;
    }
    items.truncate(kept);
    Some(NextPage { kept, skip: skip.saturating_add(kept as u64), location })
}

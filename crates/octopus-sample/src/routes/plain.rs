//! Collections that know no filter but IDs and a part of the name.

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::page::{Pages, all};
use super::super::world::Collection;
use super::missing;

/// A list, its `/all` and one of its items, for those who have the permission.
pub(super) fn answer(
    call: &Call<'_>,
    path: &[&str],
    permission: &'static str,
    item_type: &'static str,
    collection: &Collection,
) -> Answered {
    call.need(permission)?;
    let pages = Pages::of(item_type, "skip,take,ids,partialName");
    let items = collection.of_space(call.space_id());
    let items = items.filter(|item| call.among_ids(item) && call.named(item));
    match path {
        [] => Ok(pages.page(call, items)),
        ["all"] => Ok(all(items)),
        [id] => {
            let item = collection.find_in(call.space_id(), id).ok_or_else(|| missing(id))?;
            Ok(Answer::json(item.json.to_string()))
        }
        _ => Err(Refusal::NoRoute),
    }
}

//! Tag sets.

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::page::{Pages, all};
use super::missing;

const PAGES: Pages = Pages::of("TagSet", "skip,take,ids,partialName");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("TenantView")?;
    let items = call.world.tag_sets.of_space(call.space_id()).filter(|item| call.among_ids(item));
    match path {
        [] => Ok(PAGES.page(call, items.filter(|item| call.named(item)))),
        ["all"] => Ok(all(items)),
        [id] => {
            let item = call.world.tag_sets.find_in(call.space_id(), id);
            Ok(Answer::json(item.ok_or_else(|| missing(id))?.json.to_string()))
        }
        _ => Err(Refusal::NoRoute),
    }
}

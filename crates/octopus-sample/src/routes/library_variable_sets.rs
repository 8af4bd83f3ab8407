//! Library variable sets and their templates.

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::page::{Pages, all};
use super::missing;

const PAGES: Pages = Pages::of("LibraryVariableSet", "skip,contentType,take,ids,partialName");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("LibraryVariableSetView")?;
    let items = call
        .world
        .library_variable_sets
        .of_space(call.space_id())
        .filter(|item| call.among_ids(item));
    let items = items.filter(|item| call.one_of("contentType", item.text("ContentType")));
    match path {
        [] => Ok(PAGES.page(call, items.filter(|item| call.named(item)))),
        ["all"] => Ok(all(items)),
        [id] => {
            let item = call.world.library_variable_sets.find_in(call.space_id(), id);
            Ok(Answer::json(item.ok_or_else(|| missing(id))?.json.to_string()))
        }
        _ => Err(Refusal::NoRoute),
    }
}

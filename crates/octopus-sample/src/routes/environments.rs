//! Environments, in their sort order. Their pages hold ten unless asked otherwise.

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::page::{Pages, all};
use super::{machines, missing};

const PAGES: Pages =
    Pages { item_type: "Environment", take: 10, parameters: "name,skip,ids,take,partialName" };

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("EnvironmentView")?;
    let items =
        call.world.environments.of_space(call.space_id()).filter(|item| call.among_ids(item));
    match path {
        [] => Ok(PAGES.page(call, items.filter(|item| call.named(item)))),
        ["all"] => Ok(all(items)),
        [id] => {
            let item = call.world.environments.find_in(call.space_id(), id);
            Ok(Answer::json(item.ok_or_else(|| missing(id))?.json.to_string()))
        }
        [id, "machines"] => {
            let item = call.world.environments.find_in(call.space_id(), id);
            machines::of_environment(call, item.ok_or_else(|| missing(id))?)
        }
        _ => Err(Refusal::NoRoute),
    }
}

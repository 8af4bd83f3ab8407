//! Spaces. What a caller does not see is not there.

use serde_json::{Value, json};

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::{Call, contains};
use super::super::page::{Pages, all};
use super::super::world::Item;
use super::missing;

const PAGES: Pages = Pages::of("Space", "skip,ids,take,partialName");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    let visible = call.world.spaces.iter().filter(|space| call.user.sees(&space.id));
    match path {
        [] => {
            Ok(PAGES.page(call, visible.filter(|space| call.among_ids(space) && call.named(space))))
        }
        ["all"] => Ok(all(visible.filter(|space| call.among_ids(space)))),
        [id_or_slug] => Ok(Answer::json(one(call, id_or_slug)?.json.to_string())),
        [id_or_slug, "search"] => Ok(search(call, one(call, id_or_slug)?)),
        _ => Err(Refusal::NoRoute),
    }
}

/// `/api/{space}`: the links of a space.
pub(super) fn home(call: &Call<'_>) -> Answered {
    let Some(space) = call.space else { return Err(Refusal::NoRoute) };
    let body = json!({ "Id": space.id, "Links": call.world.space_links }).to_string();
    Ok(Answer::json(body.replace("Spaces-1", &space.id)))
}

fn one<'a>(call: &Call<'a>, id_or_slug: &str) -> Result<&'a Item, Refusal> {
    let space = call.world.spaces.find_in("", id_or_slug);
    space.filter(|space| call.user.sees(&space.id)).ok_or_else(|| missing(id_or_slug))
}

/// Projects, environments and tenants of a space by a part of their name.
fn search(call: &Call<'_>, space: &Item) -> Answer {
    let keyword = call.query.text("keyword").unwrap_or_default();
    let world = call.world;
    let kinds = [
        ("Project", &world.projects),
        ("Environment", &world.environments),
        ("Tenant", &world.tenants),
    ];
    let found = kinds.iter().flat_map(|(kind, collection)| {
        collection
            .of_space(&space.id)
            .filter(|item| contains(item.text("Name"), keyword))
            .map(move |item| json!({ "Id": item.id, "Name": item.text("Name"), "Type": kind }))
    });
    Answer::value(&Value::Array(found.collect()))
}

//! Spaces. Spaces of other users are not found.

use serde_json::{Value, json};

use super::super::call::{Call, contains};
use super::super::database::Item;
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::missing;

const PAGES: Pages = Pages::of("Space", "skip,ids,take,partialName");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    let visible = call.database.spaces.iter().filter(|space| call.user.sees_space(&space.id));
    match path {
        [] => Ok(PAGES
            .page(call, visible.filter(|space| call.in_ids(space) && call.matches_name(space)))),
        ["all"] => Ok(all(visible.filter(|space| call.in_ids(space)))),
        [id_or_slug] => Ok(ApiResponse::json(one(call, id_or_slug)?.json.to_string())),
        [id_or_slug, "search"] => Ok(search(call, one(call, id_or_slug)?)),
        _ => Err(ApiError::NoRoute),
    }
}

/// Answers `/api/{space}`: the links of a space.
pub(super) fn home(call: &Call<'_>) -> ApiResult {
    let Some(space) = call.space else { return Err(ApiError::NoRoute) };
    let body = json!({ "Id": space.id, "Links": call.database.space_links }).to_string();
    Ok(ApiResponse::json(body.replace("Spaces-1", &space.id)))
}

fn one<'a>(call: &Call<'a>, id_or_slug: &str) -> Result<&'a Item, ApiError> {
    let space = call.database.spaces.find_in("", id_or_slug);
    space.filter(|space| call.user.sees_space(&space.id)).ok_or_else(|| missing(id_or_slug))
}

/// Finds projects, environments and tenants of a space by a part of their name.
fn search(call: &Call<'_>, space: &Item) -> ApiResponse {
    let keyword = call.query.text("keyword").unwrap_or_default();
    let database = call.database;
    let kinds = [
        ("Project", &database.projects),
        ("Environment", &database.environments),
        ("Tenant", &database.tenants),
    ];
    let found = kinds.iter().flat_map(|(kind, collection)| {
        collection
            .of_space(&space.id)
            .filter(|item| contains(item.text("Name"), keyword))
            .map(move |item| json!({ "Id": item.id, "Name": item.text("Name"), "Type": kind }))
    });
    ApiResponse::value(&Value::Array(found.collect()))
}

//! Spaces. Spaces of other users are not found.

use serde_json::{Value, json};

use super::super::call::{Call, contains};
use super::super::database::Item;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::missing;

/// Answers `/spaces/{id}/search`.
pub(super) fn below(call: &Call<'_>, path: &[&str]) -> ApiResult {
    let [id_or_slug, "search"] = path else { return Err(ApiError::NoRoute) };
    Ok(search(call, one(call, id_or_slug)?))
}

/// Returns whether the user is a member of the space.
pub(super) fn is_visible(call: &Call<'_>, space: &Item) -> bool {
    call.user.sees_space(&space.id)
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

//! Library variable sets and their templates.

use super::super::call::Call;
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::missing;

const PAGES: Pages = Pages::of("LibraryVariableSet", "skip,contentType,take,ids,partialName");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("LibraryVariableSetView")?;
    let items = call
        .database
        .library_variable_sets
        .of_space(call.space_id())
        .filter(|item| call.in_ids(item));
    let items = items.filter(|item| call.one_of("contentType", item.text("ContentType")));
    match path {
        [] => Ok(PAGES.page(call, items.filter(|item| call.matches_name(item)))),
        ["all"] => Ok(all(items)),
        [id] => {
            let item = call.database.library_variable_sets.find_in(call.space_id(), id);
            Ok(ApiResponse::json(item.ok_or_else(|| missing(id))?.json.to_string()))
        }
        _ => Err(ApiError::NoRoute),
    }
}

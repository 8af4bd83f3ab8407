//! Tag sets.

use super::super::call::Call;
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::missing;

const PAGES: Pages = Pages::of("TagSet", "skip,take,ids,partialName");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("TenantView")?;
    let items = call.database.tag_sets.of_space(call.space_id()).filter(|item| call.in_ids(item));
    match path {
        [] => Ok(PAGES.page(call, items.filter(|item| call.matches_name(item)))),
        ["all"] => Ok(all(items)),
        [id] => {
            let item = call.database.tag_sets.find_in(call.space_id(), id);
            Ok(ApiResponse::json(item.ok_or_else(|| missing(id))?.json.to_string()))
        }
        _ => Err(ApiError::NoRoute),
    }
}

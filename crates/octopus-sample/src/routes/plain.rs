//! Collections that know no filter but IDs and a part of the name.

use super::super::call::Call;
use super::super::database::Collection;
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::missing;

/// A list, its `/all` and one of its items, for those who have the permission.
pub(super) fn answer(
    call: &Call<'_>,
    path: &[&str],
    permission: &'static str,
    item_type: &'static str,
    collection: &Collection,
) -> ApiResult {
    call.require(permission)?;
    let pages = Pages::of(item_type, "skip,take,ids,partialName");
    let items = collection.of_space(call.space_id());
    let items = items.filter(|item| call.in_ids(item) && call.matches_name(item));
    match path {
        [] => Ok(pages.page(call, items)),
        ["all"] => Ok(all(items)),
        [id] => {
            let item = collection.find_in(call.space_id(), id).ok_or_else(|| missing(id))?;
            Ok(ApiResponse::json(item.json.to_string()))
        }
        _ => Err(ApiError::NoRoute),
    }
}

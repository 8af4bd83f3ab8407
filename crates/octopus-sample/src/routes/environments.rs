//! Environments, in their sort order. Their pages hold ten unless asked otherwise.

use super::super::call::Call;
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::{machines, missing};

const PAGES: Pages =
    Pages { item_type: "Environment", take: 10, parameters: "name,skip,ids,take,partialName" };

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("EnvironmentView")?;
    let items =
        call.database.environments.of_space(call.space_id()).filter(|item| call.in_ids(item));
    match path {
        [] => Ok(PAGES.page(call, items.filter(|item| call.matches_name(item)))),
        ["all"] => Ok(all(items)),
        [id] => {
            let item = call.database.environments.find_in(call.space_id(), id);
            Ok(ApiResponse::json(item.ok_or_else(|| missing(id))?.json.to_string()))
        }
        [id, "machines"] => {
            let item = call.database.environments.find_in(call.space_id(), id);
            machines::of_environment(call, item.ok_or_else(|| missing(id))?)
        }
        _ => Err(ApiError::NoRoute),
    }
}

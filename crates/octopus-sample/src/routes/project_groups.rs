//! Project groups.

use super::super::call::Call;
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::missing;

const PAGES: Pages = Pages::of("ProjectGroup", "skip,take,ids,partialName");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("ProjectGroupView")?;
    let items =
        call.database.project_groups.of_space(call.space_id()).filter(|item| call.in_ids(item));
    match path {
        [] => Ok(PAGES.page(call, items.filter(|item| call.matches_name(item)))),
        ["all"] => Ok(all(items)),
        [id] => {
            let item = call.database.project_groups.find_in(call.space_id(), id);
            Ok(ApiResponse::json(item.ok_or_else(|| missing(id))?.json.to_string()))
        }
        [id, "projects"] => {
            let group = call.database.project_groups.find_in(call.space_id(), id);
            let group = group.ok_or_else(|| missing(id))?;
            let projects = call.database.projects.of_space(call.space_id());
            let inside = projects.filter(|project| project.text("ProjectGroupId") == group.id);
            let pages = Pages::of("Project", "skip,take,partialName");
            Ok(pages.page(call, inside.filter(|project| call.matches_name(project))))
        }
        _ => Err(ApiError::NoRoute),
    }
}

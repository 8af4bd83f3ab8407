//! Channels of all projects, or of one.

use super::super::call::Call;
use super::super::database::Item;
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::{missing, releases};

const PAGES: Pages = Pages::of("Channel", "skip,take,ids,partialName");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("ProjectView")?;
    let channels = call.database.channels.of_space(call.space_id());
    let channels = channels.filter(|channel| call.in_ids(channel));
    match path {
        [] => Ok(PAGES.page(call, channels.filter(|channel| call.matches_name(channel)))),
        ["all"] => Ok(all(channels)),
        [id] => Ok(ApiResponse::json(one(call, id)?.json.to_string())),
        [id, "releases"] => {
            let channel = one(call, id)?;
            let releases = call.database.releases.of_space(call.space_id());
            releases::of_owner(
                call,
                releases.filter(|release| release.text("ChannelId") == channel.id),
            )
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// `/projects/{id}/channels`.
pub(super) fn of_project(call: &Call<'_>, project: &Item) -> ApiResponse {
    let own = call.database.channels.of_project(project);
    let pages = Pages::of("Channel", "skip,take,partialName");
    pages.page(call, own.filter(|channel| call.matches_name(channel)))
}

/// Slugs of channels are unique only in their project, so an ID it is.
fn one<'a>(call: &Call<'a>, id: &str) -> Result<&'a Item, ApiError> {
    let channel = call.database.channels.find(id);
    channel.filter(|channel| channel.space_id == call.space_id()).ok_or_else(|| missing(id))
}

//! Channels of one project, and the releases of a channel.

use super::super::call::Call;
use super::super::database::Item;
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::{missing, releases};

const OF_PROJECT: Pages = Pages::of("Channel", "skip,take,partialName");

/// Answers `/channels/{id}/releases`.
pub(super) fn below(call: &Call<'_>, path: &[&str]) -> ApiResult {
    let [id, "releases"] = path else { return Err(ApiError::NoRoute) };
    // Slugs of channels are unique in their project only.
    let channel = call.database.channels.find(id);
    let channel = channel.filter(|channel| channel.space_id == call.space_id());
    let channel = channel.ok_or_else(|| missing(id))?;
    let releases = call.database.releases.of_space(call.space_id());
    releases::of_owner(call, releases.filter(|release| release.text("ChannelId") == channel.id))
}

/// Answers `/projects/{id}/channels`.
pub(super) fn of_project(call: &Call<'_>, project: &Item) -> ApiResponse {
    let own = call.database.channels.of_project(project);
    OF_PROJECT.page(call, own.filter(|channel| call.matches_name(channel)))
}

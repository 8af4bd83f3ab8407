//! Channels of all projects, or of one.

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::page::{Pages, all};
use super::super::world::Item;
use super::{missing, releases};

const PAGES: Pages = Pages::of("Channel", "skip,take,ids,partialName");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("ProjectView")?;
    let channels = call.world.channels.of_space(call.space_id());
    let channels = channels.filter(|channel| call.among_ids(channel));
    match path {
        [] => Ok(PAGES.page(call, channels.filter(|channel| call.named(channel)))),
        ["all"] => Ok(all(channels)),
        [id] => Ok(Answer::json(one(call, id)?.json.to_string())),
        [id, "releases"] => {
            let channel = one(call, id)?;
            let releases = call.world.releases.of_space(call.space_id());
            releases::of_owner(
                call,
                releases.filter(|release| release.text("ChannelId") == channel.id),
            )
        }
        _ => Err(Refusal::NoRoute),
    }
}

/// `/projects/{id}/channels`.
pub(super) fn of_project(call: &Call<'_>, project: &Item) -> Answer {
    let own = call.world.channels.of_project(project);
    let pages = Pages::of("Channel", "skip,take,partialName");
    pages.page(call, own.filter(|channel| call.named(channel)))
}

/// Slugs of channels are unique only in their project, so an ID it is.
fn one<'a>(call: &Call<'a>, id: &str) -> Result<&'a Item, Refusal> {
    let channel = call.world.channels.find(id);
    channel.filter(|channel| channel.space_id == call.space_id()).ok_or_else(|| missing(id))
}

//! Releases, newest first.

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::{Call, contains};
use super::super::page::Pages;
use super::super::world::Item;
use super::{deployments, missing, previews, progression};

const PAGES: Pages = Pages::of("Release", "skip,ignoreChannelRules,take,ids");
const OF_OWNER: Pages = Pages::of("Release", "skip,take,searchByVersion");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("ReleaseView")?;
    match path {
        [] => {
            let releases = call.world.releases.of_space(call.space_id());
            Ok(PAGES.page(call, releases.filter(|release| call.among_ids(release))))
        }
        [id] => Ok(Answer::json(one(call, id)?.json.to_string())),
        [id, "deployments", "template" | "preview", ..] => {
            let rest = path.get(2..).unwrap_or_default();
            previews::of_release(call, one(call, id)?, rest)
        }
        [id, "deployments"] => deployments::of_release(call, one(call, id)?),
        [id, "progression"] => progression::of_release(call, one(call, id)?),
        _ => Err(Refusal::NoRoute),
    }
}

/// `/projects/{id}/releases`.
pub(super) fn of_project(call: &Call<'_>, project: &Item) -> Answered {
    of_owner(call, call.world.releases.of_project(project))
}

/// A page of the releases of a project or a channel, with `searchByVersion`.
pub(super) fn of_owner<'a>(call: &Call<'_>, releases: impl Iterator<Item = &'a Item>) -> Answered {
    call.need("ReleaseView")?;
    let part = call.query.text("searchByVersion").unwrap_or_default();
    Ok(OF_OWNER.page(call, releases.filter(|release| contains(release.text("Version"), part))))
}

/// `/projects/{id}/releases/{version}`.
pub(super) fn by_version(call: &Call<'_>, project: &Item, version: &str) -> Answered {
    call.need("ReleaseView")?;
    let is_wanted = |release: &&Item| release.text("Version").eq_ignore_ascii_case(version);
    let release = call.world.releases.of_project(project).find(is_wanted);
    Ok(Answer::json(release.ok_or_else(|| missing(version))?.json.to_string()))
}

fn one<'a>(call: &Call<'a>, id: &str) -> Result<&'a Item, Refusal> {
    let release = call.world.releases.find(id);
    release.filter(|release| release.space_id == call.space_id()).ok_or_else(|| missing(id))
}

//! Projects, and what hangs below one.

use serde_json::json;

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::page::{Pages, all};
use super::super::world::Item;
use super::{channels, git, missing, progression, releases};

const PAGES: Pages =
    Pages::of("Project", "name,skip,ids,clone,take,partialName,clonedFromProjectId");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("ProjectView")?;
    let projects = call.world.projects.of_space(call.space_id());
    let projects = projects.filter(|project| call.among_ids(project));
    match path {
        [] => {
            // Nothing here is a clone, so whoever asks for clones finds none.
            let is_clone_wanted = call.query.text("clonedFromProjectId").is_some();
            let matching = |project: &&Item| call.named(project) && !is_clone_wanted;
            Ok(PAGES.page(call, projects.filter(matching)))
        }
        ["all"] => Ok(all(projects)),
        [id] => Ok(Answer::json(one(call, id)?.json.to_string())),
        [id, "summary"] => {
            let project = one(call, id)?;
            let has_process = call.world.scripts.process(&project.id).is_some();
            Ok(Answer::value(&json!({
                "HasDeploymentProcess": has_process, "HasRunbooks": project.id == "Projects-1",
            })))
        }
        [id, "channels"] => Ok(channels::of_project(call, one(call, id)?)),
        [id, "releases"] => releases::of_project(call, one(call, id)?),
        [id, "releases", version] => releases::by_version(call, one(call, id)?, version),
        [id, "progression"] => progression::of_project(call, id),
        [id, "git", rest @ ..] => git::answer(call, one(call, id)?, rest),
        _ => Err(Refusal::NoRoute),
    }
}

/// The project with an ID or a slug.
pub(super) fn one<'a>(call: &Call<'a>, id_or_slug: &str) -> Result<&'a Item, Refusal> {
    call.world.projects.find_in(call.space_id(), id_or_slug).ok_or_else(|| missing(id_or_slug))
}

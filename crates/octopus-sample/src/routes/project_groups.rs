//! Project groups.

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::page::{Pages, all};
use super::missing;

const PAGES: Pages = Pages::of("ProjectGroup", "skip,take,ids,partialName");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("ProjectGroupView")?;
    let items =
        call.world.project_groups.of_space(call.space_id()).filter(|item| call.among_ids(item));
    match path {
        [] => Ok(PAGES.page(call, items.filter(|item| call.named(item)))),
        ["all"] => Ok(all(items)),
        [id] => {
            let item = call.world.project_groups.find_in(call.space_id(), id);
            Ok(Answer::json(item.ok_or_else(|| missing(id))?.json.to_string()))
        }
        [id, "projects"] => {
            let group = call.world.project_groups.find_in(call.space_id(), id);
            let group = group.ok_or_else(|| missing(id))?;
            let projects = call.world.projects.of_space(call.space_id());
            let inside = projects.filter(|project| project.text("ProjectGroupId") == group.id);
            let pages = Pages::of("Project", "skip,take,partialName");
            Ok(pages.page(call, inside.filter(|project| call.named(project))))
        }
        _ => Err(Refusal::NoRoute),
    }
}

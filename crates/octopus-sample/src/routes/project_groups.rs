//! Subresources of project groups.

use super::super::call::Call;
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResult};
use super::missing;

const PROJECTS: Pages = Pages::of("Project", "skip,take,partialName");

/// Answers `/projectgroups/{id}/projects`.
pub(super) fn below(call: &Call<'_>, path: &[&str]) -> ApiResult {
    let [id, "projects"] = path else { return Err(ApiError::NoRoute) };
    let group = call.database.project_groups.find_in(call.space_id(), id);
    let group = group.ok_or_else(|| missing(id))?;
    let projects = call.database.projects.of_space(call.space_id());
    let inside = projects.filter(|project| project.text("ProjectGroupId") == group.id);
    Ok(PROJECTS.page(call, inside.filter(|project| call.matches_name(project))))
}

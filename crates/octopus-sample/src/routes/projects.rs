//! Subresources of projects.

use serde_json::json;

use super::super::call::Call;
use super::super::database::Item;
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::{
    channels, deployment_processes, feature_toggles, git, missing, progression, releases, runbooks,
    variables,
};

const PAGES: Pages =
    Pages::of("Project", "name,skip,ids,clone,take,partialName,clonedFromProjectId");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("ProjectView")?;
    let projects = call.database.projects.of_space(call.space_id());
    let projects = projects.filter(|project| call.in_ids(project));
    match path {
        [] => {
            // Nothing here is a clone, so whoever asks for clones finds none.
            let is_clone_wanted = call.query.text("clonedFromProjectId").is_some();
            let matching = |project: &&Item| call.matches_name(project) && !is_clone_wanted;
            Ok(PAGES.page(call, projects.filter(matching)))
        }
        ["all"] => Ok(all(projects)),
        [id] => Ok(ApiResponse::json(one(call, id)?.json.to_string())),
        [id, "summary"] => {
            let project = one(call, id)?;
            let has_process = call.database.scripts.process(&project.id).is_some();
            let has_runbooks = runbooks::are_in_git(project)
                || call.database.runbooks.of_project(project).next().is_some();
            Ok(ApiResponse::value(&json!({
                "HasDeploymentProcess": has_process, "HasRunbooks": has_runbooks,
            })))
        }
        [id, "channels"] => Ok(channels::of_project(call, one(call, id)?)),
        [id, "releases"] => releases::of_project(call, one(call, id)?),
        [id, "releases", version] => releases::by_version(call, one(call, id)?, version),
        [id, "progression"] => progression::of_project(call, id),
        [id, "runbooks", rest @ ..] => runbooks::of_project(call, one(call, id)?, rest),
        [id, "runbooksnapshots", rest @ ..] => {
            runbooks::snapshots(call, Some(one(call, id)?), rest)
        }
        [id, "featuretoggles", rest @ ..] => feature_toggles::answer(call, one(call, id)?, rest),
        [id, "variables"] => variables::of_project(call, one(call, id)?),
        [id, "deploymentprocesses"] => deployment_processes::of_project(call, one(call, id)?),
        [id, "deploymentprocesses", "template"] => {
            deployment_processes::template_of(call, one(call, id)?)
        }
        [id, "deploymentsettings"] => deployment_processes::settings_of(call, one(call, id)?),
        [id, git_ref, resource @ ("variables" | "deploymentprocesses" | "deploymentsettings")] => {
            git::content(call, one(call, id)?, git_ref, resource)
        }
        [id, git_ref, "deploymentprocesses", "template"] => {
            git::content(call, one(call, id)?, git_ref, "template")
        }
        [id, "git", rest @ ..] => git::answer(call, one(call, id)?, rest),
        [id, reference, "runbooks" | "runbookprocesses", ..] => {
            let rest = path.get(2..).unwrap_or_default();
            runbooks::of_reference(call, one(call, id)?, reference, rest)
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Returns the project with an ID or slug.
pub(super) fn one<'a>(call: &Call<'a>, id_or_slug: &str) -> Result<&'a Item, ApiError> {
    call.database.projects.find_in(call.space_id(), id_or_slug).ok_or_else(|| missing(id_or_slug))
}

//! Subresources of projects.

use serde_json::json;

use super::super::call::Call;
use super::super::database::Item;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::{
    channels, deployment_processes, feature_toggles, git, missing, progression, releases, runbooks,
    variables,
};

/// Matches `clonedFromProjectId`. No project of the sample is a clone.
pub(super) fn matches_origin(call: &Call<'_>, _: &Item) -> bool {
    call.query.text("clonedFromProjectId").is_none()
}

/// Answers the paths below `/projects/{id}`.
pub(super) fn below(call: &Call<'_>, path: &[&str]) -> ApiResult {
    match path {
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

//! Subresources of projects.

use serde_json::json;

use super::super::call::Call;
use super::super::database::Item;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::project_lookup::find;
use super::{
    channels, deployment_processes, feature_toggles, git, progression, releases, runbooks,
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
            let project = find(call, id)?;
            let has_process = call.database.scripts.process(&project.id).is_some();
            let has_runbooks = runbooks::are_in_git(project)
                || call.database.runbooks.of_project(project).next().is_some();
            Ok(ApiResponse::value(&json!({
                "HasDeploymentProcess": has_process, "HasRunbooks": has_runbooks,
            })))
        }
        [id, "channels"] => Ok(channels::of_project(call, find(call, id)?)),
        [id, "releases"] => releases::of_project(call, find(call, id)?),
        [id, "releases", version] => releases::by_version(call, find(call, id)?, version),
        [id, "progression"] => progression::of_project(call, id),
        [id, "runbooks", rest @ ..] => runbooks::of_project(call, find(call, id)?, rest),
        [id, "runbooksnapshots", rest @ ..] => {
            runbooks::snapshots(call, Some(find(call, id)?), rest)
        }
        [id, "featuretoggles", rest @ ..] => feature_toggles::answer(call, find(call, id)?, rest),
        [id, "variables"] => variables::of_project(call, find(call, id)?),
        [id, "deploymentprocesses"] => deployment_processes::of_project(call, find(call, id)?),
        [id, "deploymentprocesses", "template"] => {
            deployment_processes::template_of(call, find(call, id)?)
        }
        [id, "deploymentsettings"] => deployment_processes::settings_of(call, find(call, id)?),
        [id, git_ref, resource @ ("variables" | "deploymentprocesses" | "deploymentsettings")] => {
            git::content(call, find(call, id)?, git_ref, resource)
        }
        [id, git_ref, "deploymentprocesses", "template"] => {
            git::content(call, find(call, id)?, git_ref, "template")
        }
        [id, "git", rest @ ..] => git::answer(call, find(call, id)?, rest),
        [id, reference, "runbooks" | "runbookprocesses", ..] => {
            let rest = path.get(2..).unwrap_or_default();
            runbooks::of_reference(call, find(call, id)?, reference, rest)
        }
        _ => Err(ApiError::NoRoute),
    }
}

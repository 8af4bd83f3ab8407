//! Deployments, newest first.

use super::super::call::{Call, contains};
use super::super::database::Item;
use super::super::history::State;
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::missing;

const PAGES: Pages = Pages::of(
    "Deployment",
    "skip,take,ids,projects,environments,tenants,channels,taskState,partialName",
);

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("DeploymentView")?;
    match path {
        [] => {
            let state = call.query.text("taskState").map(state).transpose()?;
            let found = candidates(call).filter(|deployment| {
                matches(call, deployment)
                    && state.is_none_or(|state| state_of(call, deployment) == Some(state))
            });
            Ok(PAGES.page(call, found))
        }
        [id] => {
            let deployment = call.database.deployments.find(id);
            let deployment = deployment.filter(|found| found.space_id == call.space_id());
            Ok(ApiResponse::json(deployment.ok_or_else(|| missing(id))?.json.to_string()))
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Answers `/releases/{id}/deployments`.
pub(super) fn of_release(call: &Call<'_>, release: &Item) -> ApiResult {
    call.require("DeploymentView")?;
    let deployments = call.database.deployments.of_space(call.space_id());
    let own = deployments.filter(|deployment| deployment.text("ReleaseId") == release.id);
    Ok(Pages::of("Deployment", "skip,take").page(call, own))
}

/// Returns the deployments of the space. If `projects` names one project, only its deployments,
/// which is faster.
fn candidates<'a>(call: &Call<'a>) -> Box<dyn Iterator<Item = &'a Item> + 'a> {
    let database = call.database;
    let of_space = database.deployments.of_space(call.space_id());
    match call.query.list("projects").as_slice() {
        [id] => match database.projects.find_in(call.space_id(), id) {
            Some(project) => Box::new(database.deployments.of_project(project)),
            None => Box::new(of_space),
        },
        _ => Box::new(of_space),
    }
}

fn matches(call: &Call<'_>, deployment: &Item) -> bool {
    call.in_ids(deployment)
        && call.one_of_key("projects", deployment, "ProjectId")
        && call.one_of_key("environments", deployment, "EnvironmentId")
        && call.one_of_key("tenants", deployment, "TenantId")
        && call.one_of_key("channels", deployment, "ChannelId")
        && call.query.text("partialName").is_none_or(|part| contains(deployment.text("Name"), part))
}

fn state(name: &str) -> Result<State, ApiError> {
    let wrong = || ApiError::BadRequest(format!("The value '{name}' is not valid for taskState."));
    State::named(name).ok_or_else(wrong)
}

/// Returns the state of the task of a deployment.
fn state_of(call: &Call<'_>, deployment: &Item) -> Option<State> {
    Some(call.database.task_facts.get(deployment.text("TaskId"))?.state)
}

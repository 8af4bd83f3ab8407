//! Deployments, newest first.

use super::super::call::Call;
use super::super::database::{Item, State};
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResult};
use super::filters::{Field, Filter, matches};

const PAGES: Pages = Pages::of(
    "Deployment",
    "skip,take,ids,projects,environments,tenants,channels,taskState,partialName",
);

const FILTERS: &[Filter] = &[
    Filter::Ids,
    Filter::OneOf("projects", Field::Key("ProjectId")),
    Filter::OneOf("environments", Field::Key("EnvironmentId")),
    Filter::OneOf("tenants", Field::Key("TenantId")),
    Filter::OneOf("channels", Field::Key("ChannelId")),
    Filter::Part("partialName", "Name"),
];

/// Answers `/deployments`.
pub(super) fn list(call: &Call<'_>) -> ApiResult {
    let state = call.query.text("taskState").map(state).transpose()?;
    let found = candidates(call).filter(|deployment| {
        matches(FILTERS, call, deployment)
            && state.is_none_or(|state| state_of(call, deployment) == Some(state))
    });
    Ok(PAGES.page(call, found))
}

/// Answers `/releases/{id}/deployments`.
pub(super) fn of_release(call: &Call<'_>, release: &Item) -> ApiResult {
    call.require("DeploymentView")?;
    let deployments = call.database.deployments.of_space(call.space_id());
    let own = deployments.filter(|deployment| deployment.text("ReleaseId") == release.id);
    Ok(Pages::of("Deployment", "skip,take").page(call, own))
}

/// Returns the deployments of the space. If `projects` contains one project, returns only its
/// deployments, because that is faster.
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

/// Parses `taskState`.
pub(super) fn state(name: &str) -> Result<State, ApiError> {
    let wrong = || ApiError::BadRequest(format!("The value '{name}' is not valid for taskState."));
    name.parse().map_err(|_| wrong())
}

/// Returns the state of the task of a deployment.
fn state_of(call: &Call<'_>, deployment: &Item) -> Option<State> {
    Some(call.database.task_facts.get(deployment.text("TaskId"))?.state)
}

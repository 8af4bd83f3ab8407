//! Deployments, newest first.

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::{Call, contains};
use super::super::history::State;
use super::super::page::Pages;
use super::super::world::Item;
use super::missing;

const PAGES: Pages = Pages::of(
    "Deployment",
    "skip,take,ids,projects,environments,tenants,channels,taskState,partialName",
);

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("DeploymentView")?;
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
            let deployment = call.world.deployments.find(id);
            let deployment = deployment.filter(|found| found.space_id == call.space_id());
            Ok(Answer::json(deployment.ok_or_else(|| missing(id))?.json.to_string()))
        }
        _ => Err(Refusal::NoRoute),
    }
}

/// `/releases/{id}/deployments`.
pub(super) fn of_release(call: &Call<'_>, release: &Item) -> Answered {
    call.need("DeploymentView")?;
    let deployments = call.world.deployments.of_space(call.space_id());
    let own = deployments.filter(|deployment| deployment.text("ReleaseId") == release.id);
    Ok(Pages::of("Deployment", "skip,take").page(call, own))
}

/// The deployments of the one project that was asked for, or else of the space.
fn candidates<'a>(call: &Call<'a>) -> Box<dyn Iterator<Item = &'a Item> + 'a> {
    let world = call.world;
    let of_space = world.deployments.of_space(call.space_id());
    match call.query.list("projects").as_slice() {
        [id] => match world.projects.find_in(call.space_id(), id) {
            Some(project) => Box::new(world.deployments.of_project(project)),
            None => Box::new(of_space),
        },
        _ => Box::new(of_space),
    }
}

fn matches(call: &Call<'_>, deployment: &Item) -> bool {
    call.among_ids(deployment)
        && call.has_one_of("projects", deployment, "ProjectId")
        && call.has_one_of("environments", deployment, "EnvironmentId")
        && call.has_one_of("tenants", deployment, "TenantId")
        && call.has_one_of("channels", deployment, "ChannelId")
        && call.query.text("partialName").is_none_or(|part| contains(deployment.text("Name"), part))
}

fn state(name: &str) -> Result<State, Refusal> {
    let wrong = || Refusal::BadRequest(format!("The value '{name}' is not valid for taskState."));
    State::named(name).ok_or_else(wrong)
}

/// A deployment has no state of its own: its task has.
fn state_of(call: &Call<'_>, deployment: &Item) -> Option<State> {
    Some(call.world.task_facts.get(deployment.text("TaskId"))?.state)
}

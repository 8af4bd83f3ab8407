//! The deployments of a past release: how far it got, for whom, and what went wrong.

use super::facts::{DeploymentFacts, ReleaseFacts, State};
use super::past::END;
use super::scripts::Process;
use crate::clock::{HOUR, MINUTE};
use crate::dice::Dice;
use crate::world::{Item, World};

/// The way of a release through the phases of its lifecycle.
pub(super) fn deployments(
    world: &World,
    process: &Process,
    project: &Item,
    release: &ReleaseFacts,
    dice: &mut Dice,
) -> Vec<DeploymentFacts> {
    let mut made = Vec::new();
    let mut at = release.assembled + 2 * MINUTE;
    let phases = world.phases(project, &release.channel_id);
    let environments = phases.into_iter().flat_map(|phase| phase.environments);
    for (position, environment) in environments.enumerate() {
        if position > 0 && dice.below(100) >= 68 {
            break;
        }
        let by = if position == 0 { "Users-62" } else { person(project) };
        let mut went_well = true;
        for tenant in audience(world, project, environment, position, dice) {
            at += 3 * MINUTE + dice.time(20 * MINUTE);
            let mut attempt = attempt(world, process, environment, dice);
            attempt.release_id.clone_from(&release.id);
            attempt.tenant_id = tenant;
            attempt.created = at;
            by.clone_into(&mut attempt.by_user_id);
            let again = (attempt.state != State::Success && dice.below(100) < 65).then(|| {
                at += 20 * MINUTE + dice.time(HOUR);
                DeploymentFacts {
                    created: at,
                    state: State::Success,
                    failure: None,
                    guidance: None,
                    duration_seconds: 60,
                    comments: "Once more".to_owned(),
                    ..attempt.clone()
                }
            });
            went_well &= attempt.state == State::Success || again.is_some();
            made.extend([Some(attempt), again].into_iter().flatten());
        }
        if !went_well {
            break;
        }
        at += HOUR + dice.time(20 * HOUR);
    }
    made.retain(|deployment| deployment.created < END);
    made
}

/// For whom a release is deployed to an environment: tenants, or nobody in particular.
fn audience(
    world: &World,
    project: &Item,
    environment: &str,
    position: usize,
    dice: &mut Dice,
) -> Vec<Option<String>> {
    let mode = project.text("TenantedDeploymentMode");
    let untenanted = mode == "Untenanted"
        || (mode == "TenantedOrUntenanted" && (position < 2 || dice.below(2) == 0));
    if untenanted {
        return vec![None];
    }
    let connected = |tenant: &&Item| {
        let environments =
            tenant.body.get("ProjectEnvironments").and_then(|map| map.get(&project.id));
        environments
            .and_then(|ids| ids.as_array())
            .is_some_and(|ids| ids.iter().any(|id| id == environment))
    };
    let tenants: Vec<&Item> = world.tenants.of_space(&project.space_id).filter(connected).collect();
    let first = dice.pick(&tenants).map(|tenant| tenant.id.clone());
    let second = dice.pick(&tenants).map(|tenant| tenant.id.clone());
    let second = second.filter(|id| Some(id) != first.as_ref());
    [first, second].into_iter().flatten().map(Some).collect()
}

/// One deployment and how it went; who, what and when is left to fill in.
fn attempt(
    world: &World,
    process: &Process,
    environment: &str,
    dice: &mut Dice,
) -> DeploymentFacts {
    let seconds = 25 + dice.time(280);
    let (state, duration_seconds) = match dice.below(100) {
        0..6 => (State::Failed, seconds),
        6..8 => (State::Canceled, seconds / 3),
        8 => (State::TimedOut, 3_600),
        _ => (State::Success, seconds),
    };
    let kinds: Vec<&str> = process.steps_for(environment).map(|step| step.kind.as_str()).collect();
    let possible: Vec<_> = world
        .scripts
        .failures
        .iter()
        .filter(|failure| !failure.only_by_hand && kinds.contains(&failure.kind.as_str()))
        .collect();
    let failure = dice.pick(&possible).filter(|_| state == State::Failed);
    let is_asked =
        world.environments.find(environment).is_some_and(|found| found.flag("UseGuidedFailure"));
    DeploymentFacts {
        id: String::new(),
        task_id: String::new(),
        release_id: String::new(),
        environment_id: environment.to_owned(),
        tenant_id: None,
        created: 0,
        duration_seconds,
        state,
        failure: failure.map(|failure| failure.id.clone()),
        has_warnings: state == State::Success && dice.below(100) < 9,
        pending_interruption: None,
        guidance: failure.filter(|_| is_asked).map(|_| "Fail".to_owned()),
        by_user_id: String::new(),
        comments: String::new(),
        trace: None,
    }
}

fn person(project: &Item) -> &'static str {
    if project.space_id == "Spaces-1" { "Users-41" } else { "Users-42" }
}

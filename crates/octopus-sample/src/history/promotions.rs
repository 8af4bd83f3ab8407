//! Deployments of a past release: phases, tenants and failures.

use super::period::END;
use crate::clock::{HOUR, MINUTE};
use crate::database::{Database, DeploymentFacts, Item, Process, ReleaseFacts, State};
use crate::random::Random;

/// Generates the deployments of a release through the phases of its lifecycle.
pub(super) fn deployments(
    database: &Database,
    process: &Process,
    project: &Item,
    release: &ReleaseFacts,
    random: &mut Random,
) -> Vec<DeploymentFacts> {
    let mut made = Vec::new();
    let mut at = release.assembled + 2 * MINUTE;
    let phases = database.phases(project, &release.channel_id);
    let environments = phases.into_iter().flat_map(|phase| phase.environments);
    for (position, environment) in environments.enumerate() {
        if position > 0 && random.below(100) >= 68 {
            break;
        }
        let by = if position == 0 { "Users-62" } else { person(project) };
        let mut went_well = true;
        for tenant in audience(database, project, environment, position, random) {
            at += 3 * MINUTE + random.time(20 * MINUTE);
            let mut attempt = deployment(database, process, environment, random);
            attempt.release_id.clone_from(&release.id);
            attempt.tenant_id = tenant;
            attempt.created = at;
            by.clone_into(&mut attempt.by_user_id);
            let again = (attempt.state != State::Success && random.below(100) < 65).then(|| {
                at += 20 * MINUTE + random.time(HOUR);
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
        at += HOUR + random.time(20 * HOUR);
    }
    made.retain(|deployment| deployment.created < END);
    made
}

/// Returns the tenants that a release is deployed for in an environment, or `None` for an
/// untenanted deployment.
fn audience(
    database: &Database,
    project: &Item,
    environment: &str,
    position: usize,
    random: &mut Random,
) -> Vec<Option<String>> {
    let mode = project.text("TenantedDeploymentMode");
    let untenanted = mode == "Untenanted"
        || (mode == "TenantedOrUntenanted" && (position < 2 || random.below(2) == 0));
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
    let tenants: Vec<&Item> =
        database.tenants.of_space(&project.space_id).filter(connected).collect();
    let first = random.pick(&tenants).map(|tenant| tenant.id.clone());
    let second = random.pick(&tenants).map(|tenant| tenant.id.clone());
    let second = second.filter(|id| Some(id) != first.as_ref());
    [first, second].into_iter().flatten().map(Some).collect()
}

/// Returns one deployment with its outcome; the caller fills in release, user and times.
fn deployment(
    database: &Database,
    process: &Process,
    environment: &str,
    random: &mut Random,
) -> DeploymentFacts {
    let seconds = 25 + random.time(280);
    let (state, duration_seconds) = match random.below(100) {
        0..6 => (State::Failed, seconds),
        6..8 => (State::Canceled, seconds / 3),
        8 => (State::TimedOut, 3_600),
        _ => (State::Success, seconds),
    };
    let kinds: Vec<&str> = process.steps_for(environment).map(|step| step.kind.as_str()).collect();
    let possible: Vec<_> = database
        .scripts
        .failures
        .iter()
        .filter(|failure| !failure.only_by_hand && kinds.contains(&failure.kind.as_str()))
        .collect();
    let failure = random.pick(&possible).filter(|_| state == State::Failed);
    let is_guided =
        database.environments.find(environment).is_some_and(|found| found.flag("UseGuidedFailure"));
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
        has_warnings: state == State::Success && random.below(100) < 9,
        pending_interruption: None,
        guidance: failure.filter(|_| is_guided).map(|_| "Fail".to_owned()),
        retried_steps: Vec::new(),
        by_user_id: String::new(),
        comments: String::new(),
        trace: None,
    }
}

fn person(project: &Item) -> &'static str {
    if project.space_id == "Spaces-1" { "Users-41" } else { "Users-42" }
}

//! Ninety days of releases, deployments and tasks.
//!
//! Code makes the long past (`past.rs`) from the rhythm of each project; the last three days are
//! written by hand in `fixtures/recent.json`, so that their IDs never change. Both are facts, and
//! the rest of the folder turns facts into what the API shows.

mod deployments;
pub(super) mod events;
mod facts;
mod interruptions;
mod past;
mod promotions;
mod releases;
mod routine;
mod runs;
mod scripts;
mod tasks;

use std::collections::HashMap;

pub(super) use deployments::body as deployment_body;
pub(super) use facts::{DeploymentFacts, ReleaseFacts, State, TaskFacts};
pub(super) use interruptions::{instructions, team_of};
pub(super) use releases::{body as release_body, snapshot};
pub(super) use runs::{RunFacts, body as run_body};
pub(super) use scripts::{Failure, LogLine, Process, ScriptBook, Step};
pub(super) use tasks::{SERVER_NODE, body as task_body, error_message, of as task_of};

use facts::Facts;

use super::clock::{MINUTE, SECOND};
use super::dice::Dice;
use super::version::Version;
use super::world::{Collection, World, fixtures};

/// Fills in the collections that are history.
pub(super) fn add_to(world: &mut World, version: &Version) {
    let mut facts = past::facts(world);
    let mut recent: Facts = fixtures::parsed(fixtures::RECENT);
    let within_the_minute = |id: &str| Dice::of(id).time(40 * SECOND);
    recent.releases.iter_mut().for_each(|r| r.assembled += within_the_minute(&r.id));
    recent.deployments.iter_mut().for_each(|d| d.created += within_the_minute(&d.id));
    recent.tasks.iter_mut().for_each(|t| t.queued += within_the_minute(&t.id));
    facts.releases.extend(recent.releases);
    facts.deployments.extend(recent.deployments);
    facts.tasks.extend(recent.tasks);

    // Newest first, as every list of history is.
    facts.releases.sort_by_key(|release| std::cmp::Reverse(release.assembled));
    facts.deployments.sort_by_key(|deployment| std::cmp::Reverse(deployment.created));
    let bodies = facts.releases.iter().map(|release| releases::body(world, release));
    world.releases = Collection::new(bodies.collect::<Vec<_>>());

    let of_deployments = facts.deployments.iter().filter_map(|facts| tasks::of(world, facts));
    facts.tasks.extend(of_deployments.collect::<Vec<_>>());
    facts.tasks.sort_by_key(|task| std::cmp::Reverse(task.queued));
    let bodies = facts.tasks.iter().map(|task| tasks::body(task, version));
    world.tasks = Collection::new(bodies.collect::<Vec<_>>());

    let bodies = facts.deployments.iter().map(|facts| deployments::body(world, facts));
    world.deployments = Collection::new(bodies.collect::<Vec<_>>());
    let runs = runs::past(world, &facts.tasks);
    let bodies = runs.iter().map(|run| runs::body(world, run));
    world.runbook_runs = Collection::new(bodies.collect::<Vec<_>>());
    let bodies = facts.tasks.iter().flat_map(|task| interruptions::of(world, task, version));
    world.interruptions = Collection::new(bodies.collect::<Vec<_>>())
        .sorted_by(|item| std::cmp::Reverse(item.text("Created").to_owned()));
    let by_id: HashMap<_, _> =
        facts.tasks.into_iter().map(|task| (task.id.clone(), task)).collect();
    world.task_facts = by_id.into();
}

/// A number of minutes before the clock, as `recent.json` has it, as a moment.
fn moment_ago<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let minutes = <i64 as serde::Deserialize>::deserialize(deserializer)?;
    Ok(super::clock::NOW - minutes * MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VERSION;

    fn world() -> World {
        World::build(&Version::parse(VERSION))
    }

    #[test]
    fn every_task_state_occurs() {
        let world = world();
        for state in State::ALL {
            assert!(world.tasks.iter().any(|task| task.text("State") == state.name()), "{state:?}");
        }
    }

    #[test]
    fn deployments_make_sense() {
        let world = world();
        for deployment in world.deployments.iter() {
            let id = &deployment.id;
            let release = world.releases.find(deployment.text("ReleaseId")).expect(id);
            let project = world.projects.find(deployment.text("ProjectId")).expect(id);
            let environment = world.environments.find(deployment.text("EnvironmentId")).expect(id);
            assert_eq!(environment.space_id, project.space_id, "{id}");
            assert!(deployment.text("Created") >= release.text("Assembled"), "{id}");
            let mode = project.text("TenantedDeploymentMode");
            let tenant = world.tenants.find(deployment.text("TenantId"));
            assert!(tenant.is_some() || mode != "Tenanted", "{id}");
            assert!(tenant.is_none() || mode != "Untenanted", "{id}");
            if let Some(tenant) = tenant {
                let connected = &tenant.body["ProjectEnvironments"][&project.id];
                let connected = connected.as_array().expect(id);
                assert!(connected.iter().any(|other| other == &environment.id), "{id}");
            }
            let phases = world.phases(project, release.text("ChannelId"));
            let way = phases.iter().flat_map(|phase| &phase.environments);
            assert!(way.into_iter().any(|other| *other == environment.id), "{id}");
        }
    }
}

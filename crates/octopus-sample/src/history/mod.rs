//! Ninety days of releases, deployments and tasks.
//!
//! `past.rs` generates the facts of the past from the release frequency of each project. The facts
//! of the last three days are in `fixtures/recent.json`, so that their IDs never change. The other
//! files turn facts into API documents.

mod deployments;
pub(super) mod events;
mod interruptions;
mod past;
mod period;
mod promotions;
mod releases;
mod routine;
mod runs;
mod tasks;

use std::collections::HashMap;
use std::sync::Arc;

pub(super) use deployments::body as deployment_body;
pub(super) use releases::body as release_body;
pub(super) use runs::{RunFacts, body as run_body};
pub(super) use tasks::of as task_of;

use super::clock::SECOND;
use super::database::{Collection, Database, Facts, TaskFacts, fixtures};
use super::random::Random;
use super::version::Version;

impl Database {
    /// Builds the database of a server of this version.
    pub(super) fn build(version: &Version) -> Self {
        let mut database = Self::from_fixtures(version);
        add_to(&mut database, version);
        let (present, version) = (database.clone(), version.clone());
        database.set_trail(move || events::events(&present, &version));
        database
    }

    /// Adds a task, or replaces the task with the same ID.
    pub(super) fn put_task(&mut self, facts: TaskFacts, version: &Version) {
        self.tasks.put(tasks::body(&facts, version));
        Arc::make_mut(&mut self.task_facts).insert(facts.id.clone(), facts);
    }
}

/// Fills the collections of the history.
fn add_to(database: &mut Database, version: &Version) {
    let mut facts = past::facts(database);
    let mut recent: Facts = fixtures::parsed(fixtures::RECENT);
    let within_the_minute = |id: &str| Random::of(id).time(40 * SECOND);
    recent.releases.iter_mut().for_each(|r| r.assembled += within_the_minute(&r.id));
    recent.deployments.iter_mut().for_each(|d| d.created += within_the_minute(&d.id));
    recent.tasks.iter_mut().for_each(|t| t.queued += within_the_minute(&t.id));
    facts.releases.extend(recent.releases);
    facts.deployments.extend(recent.deployments);
    facts.tasks.extend(recent.tasks);

    // Newest first, like all lists of the history.
    facts.releases.sort_by_key(|release| std::cmp::Reverse(release.assembled));
    facts.deployments.sort_by_key(|deployment| std::cmp::Reverse(deployment.created));
    let bodies = facts.releases.iter().map(|release| releases::body(database, release));
    database.releases = Collection::new(bodies.collect::<Vec<_>>());

    let of_deployments = facts.deployments.iter().filter_map(|facts| tasks::of(database, facts));
    facts.tasks.extend(of_deployments.collect::<Vec<_>>());
    facts.tasks.sort_by_key(|task| std::cmp::Reverse(task.queued));
    let bodies = facts.tasks.iter().map(|task| tasks::body(task, version));
    database.tasks = Collection::new(bodies.collect::<Vec<_>>());

    let bodies = facts.deployments.iter().map(|facts| deployments::body(database, facts, version));
    database.deployments = Collection::new(bodies.collect::<Vec<_>>());
    let runs = runs::past(database, &facts.tasks);
    let bodies = runs.iter().map(|run| runs::body(database, run, version));
    database.runbook_runs = Collection::new(bodies.collect::<Vec<_>>());
    let bodies = facts.tasks.iter().flat_map(|task| interruptions::of(database, task, version));
    database.interruptions = Collection::new(bodies.collect::<Vec<_>>())
        .sorted_by(|item| std::cmp::Reverse(item.text("Created").to_owned()));
    let by_id: HashMap<_, _> =
        facts.tasks.into_iter().map(|task| (task.id.clone(), task)).collect();
    database.task_facts = by_id.into();
}

#[cfg(test)]
mod tests {
    use strum::VariantArray as _;

    use super::*;
    use crate::VERSION;
    use crate::database::State;

    fn database() -> Database {
        Database::build(&Version::parse(VERSION))
    }

    #[test]
    fn covers_all_task_states() {
        let database = database();
        for state in State::VARIANTS {
            assert!(
                database.tasks.iter().any(|task| task.text("State") == state.into_str()),
                "{state:?}"
            );
        }
    }

    #[test]
    fn deployments_are_consistent() {
        let database = database();
        for deployment in database.deployments.iter() {
            let id = &deployment.id;
            let release = database.releases.find(deployment.text("ReleaseId")).expect(id);
            let project = database.projects.find(deployment.text("ProjectId")).expect(id);
            let environment =
                database.environments.find(deployment.text("EnvironmentId")).expect(id);
            assert_eq!(environment.space_id, project.space_id, "{id}");
            assert!(deployment.text("Created") >= release.text("Assembled"), "{id}");
            let mode = project.text("TenantedDeploymentMode");
            let tenant = database.tenants.find(deployment.text("TenantId"));
            assert!(tenant.is_some() || mode != "Tenanted", "{id}");
            assert!(tenant.is_none() || mode != "Untenanted", "{id}");
            if let Some(tenant) = tenant {
                let connected = &tenant.body["ProjectEnvironments"][&project.id];
                let connected = connected.as_array().expect(id);
                assert!(connected.iter().any(|other| other == &environment.id), "{id}");
            }
            let phases = database.phases(project, release.text("ChannelId"));
            let environments = phases.iter().flat_map(|phase| &phase.environments);
            assert!(environments.into_iter().any(|other| *other == environment.id), "{id}");
        }
    }
}

//! In-memory database of the sample instance. Every collection is built once and then shared.

mod collection;
mod configuration;
mod event_log;
mod facts;
pub(super) mod fixtures;
mod freezes;
mod infrastructure;
mod live;
mod people;
mod phases;
pub(super) mod processes;
mod projects;
mod prompts;
pub(super) mod repository;
mod runbooks;
mod scripts;
mod security;
mod snapshots;
mod tenant_values;
mod toggles;
pub(super) mod variable_sets;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

pub(super) use collection::{Collection, Item};
pub(super) use configuration::complete;
use event_log::EventLog;
pub(super) use event_log::Events;
pub(super) use facts::{
    DeploymentFacts, Facts, ReleaseFacts, SERVER_NODE, State, TaskFacts, WorkItem, error_message,
};
pub(super) use live::{LiveStatus, Resource};
pub(super) use phases::Phase;
pub(super) use processes::{instructions, team_of};
pub(super) use projects::project_rest;
pub(super) use prompts::{Prompt, PromptScope, form};
pub(super) use runbooks::{GitRunbook, process_id as runbook_process_id};
pub(super) use scripts::{Failure, LogLine, Process, Step, StepCatalog};
pub(super) use snapshots::snapshot;
pub(super) use tenant_values::{Template, TenantValue, templates_of};
pub(super) use toggles::completed as completed_toggle;

use super::git_names::GitNames;
use super::precedence::Precedence;
use super::version::{Feature, Version};

/// All collections. Clones are cheap and independent of the original.
#[derive(Clone)]
pub(super) struct Database {
    /// Lookup order of the executions API.
    pub(super) precedence: Precedence,
    /// Forms of names that the look-ups of Git references accept.
    pub(super) git_names: GitNames,
    /// Root document as JSON text.
    pub(super) root: Bytes,
    /// Links of the space document of `Spaces-1`.
    pub(super) space_links: Value,
    pub(super) spaces: Collection,
    pub(super) users: Collection,
    pub(super) environments: Collection,
    /// Parent and ephemeral environments, which only `/environments/v2` contains.
    pub(super) ephemeral_environments: Collection,
    pub(super) machines: Collection,
    pub(super) workers: Collection,
    pub(super) worker_pools: Collection,
    pub(super) machine_policies: Collection,
    pub(super) proxies: Collection,
    pub(super) accounts: Collection,
    pub(super) certificates: Collection,
    pub(super) teams: Collection,
    pub(super) user_roles: Collection,
    pub(super) project_groups: Collection,
    pub(super) projects: Collection,
    pub(super) lifecycles: Collection,
    pub(super) channels: Collection,
    pub(super) tag_sets: Collection,
    pub(super) library_variable_sets: Collection,
    pub(super) tenants: Collection,
    pub(super) tenant_values: Arc<Vec<TenantValue>>,
    pub(super) live_statuses: Arc<Vec<LiveStatus>>,
    pub(super) runbooks: Collection,
    pub(super) runbook_processes: Collection,
    pub(super) runbook_snapshots: Collection,
    /// Runbooks in Git.
    pub(super) git_runbooks: Arc<Vec<GitRunbook>>,
    /// Prompted variables of deployments and runbook runs.
    pub(super) prompts: Arc<Vec<Prompt>>,
    pub(super) deployment_freezes: Collection,
    pub(super) feature_toggles: Collection,
    pub(super) rollout_groups: Collection,
    pub(super) releases: Collection,
    pub(super) deployments: Collection,
    pub(super) tasks: Collection,
    pub(super) runbook_runs: Collection,
    pub(super) interruptions: Collection,
    /// Variables of the fixtures, by set.
    pub(super) variables: Arc<Vec<Value>>,
    /// Audit events at the time when the database was built.
    event_log: EventLog,
    /// Facts of each task, by task ID.
    pub(super) task_facts: Arc<HashMap<String, TaskFacts>>,
    /// Steps, and their log lines.
    pub(super) scripts: Arc<StepCatalog>,
}

impl Database {
    /// Reads the fixtures of a server of this version. The history is still empty.
    pub(super) fn from_fixtures(version: &Version) -> Self {
        let mut database = Self {
            precedence: Precedence::default(),
            git_names: GitNames::default(),
            root: configuration::root(version),
            space_links: fixtures::parsed(fixtures::SPACE_LINKS),
            spaces: configuration::spaces(version),
            users: configuration::users(),
            environments: configuration::environments(),
            ephemeral_environments: configuration::ephemeral_environments(),
            machines: infrastructure::machines(),
            workers: infrastructure::workers(),
            worker_pools: infrastructure::worker_pools(),
            machine_policies: infrastructure::machine_policies(),
            proxies: infrastructure::proxies(),
            accounts: security::accounts(),
            certificates: security::certificates(),
            teams: people::teams(),
            user_roles: people::user_roles(),
            project_groups: projects::project_groups(),
            projects: projects::projects(version),
            lifecycles: configuration::lifecycles(),
            channels: configuration::channels(),
            tag_sets: configuration::tag_sets(),
            library_variable_sets: configuration::library_variable_sets(),
            tenants: configuration::tenants(version),
            tenant_values: Arc::new(fixtures::parsed(fixtures::TENANT_VARIABLES)),
            live_statuses: Arc::new(fixtures::parsed(fixtures::LIVE_STATUSES)),
            runbooks: runbooks::runbooks(),
            runbook_processes: runbooks::processes(),
            runbook_snapshots: runbooks::snapshots(),
            git_runbooks: runbooks::in_git().into(),
            prompts: Arc::new(fixtures::parsed(fixtures::PROMPTS)),
            deployment_freezes: freezes::freezes(),
            feature_toggles: toggles::toggles(),
            rollout_groups: toggles::rollout_groups(),
            releases: Collection::default(),
            deployments: Collection::default(),
            tasks: Collection::default(),
            runbook_runs: Collection::default(),
            task_facts: Arc::default(),
            scripts: Arc::new(StepCatalog::read()),
            interruptions: Collection::default(),
            variables: Arc::new(fixtures::parsed(fixtures::VARIABLES)),
            event_log: EventLog::default(),
        };
        if !version.has(Feature::NewerKinds) {
            database.accounts.keep(|account| !account.text("AccountType").contains("Oidc"));
            let is_old = |item: &Item| {
                let style = item.body.pointer("/Endpoint/CommunicationStyle");
                !matches!(
                    style.and_then(Value::as_str),
                    Some("KubernetesTentacle" | "AwsEcsCluster")
                )
            };
            database.machines.keep(is_old);
            database.workers.keep(is_old);
        }
        database
    }

    /// Sets the event log, which `make` generates on first use.
    pub(super) fn set_trail(&mut self, make: impl FnOnce() -> Events + Send + 'static) {
        self.event_log = EventLog::new(make);
    }

    /// Returns the event log.
    pub(super) fn events(&self) -> &Events {
        &self.event_log.events
    }

    /// Returns the user name of a user.
    pub(super) fn user_name(&self, id: &str) -> Option<String> {
        Some(self.users.find(id)?.text("Username").to_owned())
    }

    /// Returns the display name of a user; the ID if the user is unknown.
    pub(super) fn display_name<'a>(&'a self, id: &'a str) -> &'a str {
        self.users.find(id).map_or(id, |user| user.text("DisplayName"))
    }

    /// Returns the name of a resource in a collection; the ID if it is unknown.
    pub(super) fn name_in<'a>(collection: &'a Collection, id: &'a str) -> &'a str {
        collection.find(id).map_or(id, |item| item.text("Name"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::VERSION;

    fn database() -> Database {
        Database::build(&Version::parse(VERSION))
    }

    fn collections(database: &Database) -> Vec<(&'static str, &Collection)> {
        vec![
            ("Spaces", &database.spaces),
            ("Users", &database.users),
            ("Environments", &database.environments),
            ("Machines", &database.machines),
            ("Workers", &database.workers),
            ("WorkerPools", &database.worker_pools),
            ("MachinePolicies", &database.machine_policies),
            ("Proxies", &database.proxies),
            ("Accounts", &database.accounts),
            ("Certificates", &database.certificates),
            ("Teams", &database.teams),
            ("userroles", &database.user_roles),
            ("ProjectGroups", &database.project_groups),
            ("Projects", &database.projects),
            ("Lifecycles", &database.lifecycles),
            ("Channels", &database.channels),
            ("TagSets", &database.tag_sets),
            ("LibraryVariableSets", &database.library_variable_sets),
            ("Tenants", &database.tenants),
            ("Releases", &database.releases),
            ("Deployments", &database.deployments),
            ("ServerTasks", &database.tasks),
            ("Runbooks", &database.runbooks),
            ("RunbookSnapshots", &database.runbook_snapshots),
            ("RunbookRuns", &database.runbook_runs),
            ("DeploymentFreezes", &database.deployment_freezes),
            ("FeatureToggles", &database.feature_toggles),
            ("RolloutGroups", &database.rollout_groups),
            ("Interruptions", &database.interruptions),
            ("Events", &database.events().all),
        ]
    }

    #[test]
    fn sizes_match_the_module_docs() {
        let database = database();
        let promised = [
            ("Spaces", 2),
            ("Projects", 12),
            ("Environments", 6),
            ("Tenants", 10),
            ("Releases", 300),
            ("Deployments", 300),
            ("ServerTasks", 600),
        ];
        for (name, least) in promised {
            let found = collections(&database).into_iter().find(|(other, _)| *other == name);
            let count = found.expect(name).1.iter().count();
            assert!(count >= least, "{name}: {count}");
        }
        let git = database.projects.iter().filter(|project| project.flag("IsVersionControlled"));
        assert_eq!(git.count(), 1);
    }

    #[test]
    fn all_referenced_ids_exist() {
        let database = database();
        let collections = collections(&database);
        for (_, collection) in &collections {
            let mut ids = HashSet::new();
            for item in collection.iter() {
                assert!(ids.insert(&item.id), "{} is there twice", item.id);
                each_text(&item.body, &mut |text| {
                    let Some((prefix, _)) = text.split_once('-') else { return };
                    let known = collections.iter().find(|(name, _)| *name == prefix);
                    let is_tag = text.contains('/');
                    if let Some((_, target)) = known.filter(|_| !is_tag) {
                        assert!(target.find(text).is_some(), "{} names {text}", item.id);
                    }
                });
            }
        }
        for live in database.live_statuses.iter() {
            assert!(database.machines.find(&live.machine_id).is_some(), "{}", live.machine_id);
        }
    }

    /// Collects the texts and map keys of a resource, without its links.
    fn each_text(value: &Value, look: &mut impl FnMut(&str)) {
        match value {
            Value::String(text) => look(text),
            Value::Array(values) => values.iter().for_each(|value| each_text(value, look)),
            Value::Object(map) => {
                for (key, value) in map.iter().filter(|(key, _)| *key != "Links") {
                    look(key);
                    each_text(value, look);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn databases_are_deterministic() {
        let (one, other) = (database(), database());
        for ((name, one), (_, other)) in collections(&one).into_iter().zip(collections(&other)) {
            assert!(
                one.iter().map(|item| &item.json).eq(other.iter().map(|item| &item.json)),
                "{name}"
            );
        }
    }
}

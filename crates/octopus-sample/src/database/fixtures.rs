//! Fixtures: the hand-written data.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(crate) const ACCOUNTS: &str = include_str!("../fixtures/accounts.json");
pub(crate) const CERTIFICATES: &str = include_str!("../fixtures/certificates.json");
pub(crate) const CHANNELS: &str = include_str!("../fixtures/channels.json");
pub(crate) const DEPLOYMENT_FREEZES: &str = include_str!("../fixtures/deploymentfreezes.json");
pub(crate) const ENVIRONMENTS: &str = include_str!("../fixtures/environments.json");
pub(crate) const EPHEMERAL_ENVIRONMENTS: &str =
    include_str!("../fixtures/ephemeralenvironments.json");
pub(crate) const FAILURES: &str = include_str!("../fixtures/failures.json");
pub(crate) const FEATURE_TOGGLES: &str = include_str!("../fixtures/featuretoggles.json");
pub(crate) const GIT_RUNBOOKS: &str = include_str!("../fixtures/gitrunbooks.json");
pub(crate) const LIBRARY_VARIABLE_SETS: &str = include_str!("../fixtures/libraryvariablesets.json");
pub(crate) const LIFECYCLES: &str = include_str!("../fixtures/lifecycles.json");
pub(crate) const LIVE_STATUSES: &str = include_str!("../fixtures/livestatus.json");
pub(crate) const MACHINE_POLICIES: &str = include_str!("../fixtures/machinepolicies.json");
pub(crate) const MACHINES: &str = include_str!("../fixtures/machines.json");
pub(crate) const NOTES: &str = include_str!("../fixtures/notes.json");
pub(crate) const PROCESSES: &str = include_str!("../fixtures/processes.json");
pub(crate) const PROJECT_GROUPS: &str = include_str!("../fixtures/projectgroups.json");
pub(crate) const PROJECTS: &str = include_str!("../fixtures/projects.json");
pub(crate) const PROMPTS: &str = include_str!("../fixtures/prompts.json");
pub(crate) const PROXIES: &str = include_str!("../fixtures/proxies.json");
pub(crate) const RECENT: &str = include_str!("../fixtures/recent.json");
pub(crate) const ROLLOUT_GROUPS: &str = include_str!("../fixtures/rolloutgroups.json");
pub(crate) const ROOT_LINKS: &str = include_str!("../fixtures/root-links.json");
pub(crate) const RUNBOOK_SNAPSHOTS: &str = include_str!("../fixtures/runbooksnapshots.json");
pub(crate) const RUNBOOKS: &str = include_str!("../fixtures/runbooks.json");
pub(crate) const SPACE_LINKS: &str = include_str!("../fixtures/space-links.json");
pub(crate) const SPACES: &str = include_str!("../fixtures/spaces.json");
pub(crate) const STEP_LOGS: &str = include_str!("../fixtures/step-logs.json");
pub(crate) const TAG_SETS: &str = include_str!("../fixtures/tagsets.json");
pub(crate) const TEAMS: &str = include_str!("../fixtures/teams.json");
pub(crate) const TENANT_VARIABLES: &str = include_str!("../fixtures/tenantvariables.json");
pub(crate) const TENANTS: &str = include_str!("../fixtures/tenants.json");
pub(crate) const USER_ROLES: &str = include_str!("../fixtures/userroles.json");
pub(crate) const USERS: &str = include_str!("../fixtures/users.json");
pub(crate) const WORKER_POOLS: &str = include_str!("../fixtures/workerpools.json");
pub(crate) const WORKERS: &str = include_str!("../fixtures/workers.json");
pub(crate) const VARIABLES: &str = include_str!("../fixtures/variables.json");

/// Parses a fixture. Returns the default value for invalid JSON instead of panicking; a unit test
/// checks that all fixtures parse.
pub(crate) fn parsed<T: DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}

/// Parses a fixture that is a list of resources.
pub(super) fn resources(text: &str) -> Vec<Map<String, Value>> {
    parsed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixtures_parse() {
        let fixtures = [
            ACCOUNTS,
            CERTIFICATES,
            CHANNELS,
            DEPLOYMENT_FREEZES,
            ENVIRONMENTS,
            FAILURES,
            FEATURE_TOGGLES,
            GIT_RUNBOOKS,
            LIBRARY_VARIABLE_SETS,
            LIFECYCLES,
            LIVE_STATUSES,
            MACHINE_POLICIES,
            MACHINES,
            NOTES,
            PROCESSES,
            PROJECT_GROUPS,
            PROJECTS,
            PROMPTS,
            PROXIES,
            RECENT,
            ROLLOUT_GROUPS,
            ROOT_LINKS,
            RUNBOOK_SNAPSHOTS,
            RUNBOOKS,
            SPACE_LINKS,
            SPACES,
            STEP_LOGS,
            TAG_SETS,
            TEAMS,
            TENANT_VARIABLES,
            TENANTS,
            USER_ROLES,
            USERS,
            VARIABLES,
            WORKERS,
            WORKER_POOLS,
        ];
        for fixture in fixtures {
            let value: Value = serde_json::from_str(fixture).expect(fixture);
            assert!(value.as_array().is_none_or(|items| !items.is_empty()), "{fixture}");
        }
    }
}

//! The data that was written by hand.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(in crate::sample) const ACCOUNTS: &str = include_str!("../fixtures/accounts.json");
pub(in crate::sample) const CERTIFICATES: &str = include_str!("../fixtures/certificates.json");
pub(in crate::sample) const CHANNELS: &str = include_str!("../fixtures/channels.json");
pub(in crate::sample) const DEPLOYMENT_FREEZES: &str =
    include_str!("../fixtures/deploymentfreezes.json");
pub(in crate::sample) const ENVIRONMENTS: &str = include_str!("../fixtures/environments.json");
pub(in crate::sample) const FAILURES: &str = include_str!("../fixtures/failures.json");
pub(in crate::sample) const FEATURE_TOGGLES: &str = include_str!("../fixtures/featuretoggles.json");
pub(in crate::sample) const GIT_RUNBOOKS: &str = include_str!("../fixtures/gitrunbooks.json");
pub(in crate::sample) const LIBRARY_VARIABLE_SETS: &str =
    include_str!("../fixtures/libraryvariablesets.json");
pub(in crate::sample) const LIFECYCLES: &str = include_str!("../fixtures/lifecycles.json");
pub(in crate::sample) const LIVE_STATUSES: &str = include_str!("../fixtures/livestatus.json");
pub(in crate::sample) const MACHINE_POLICIES: &str =
    include_str!("../fixtures/machinepolicies.json");
pub(in crate::sample) const MACHINES: &str = include_str!("../fixtures/machines.json");
pub(in crate::sample) const NOTES: &str = include_str!("../fixtures/notes.json");
pub(in crate::sample) const PROCESSES: &str = include_str!("../fixtures/processes.json");
pub(in crate::sample) const PROJECT_GROUPS: &str = include_str!("../fixtures/projectgroups.json");
pub(in crate::sample) const PROJECTS: &str = include_str!("../fixtures/projects.json");
pub(in crate::sample) const PROMPTS: &str = include_str!("../fixtures/prompts.json");
pub(in crate::sample) const PROXIES: &str = include_str!("../fixtures/proxies.json");
pub(in crate::sample) const RECENT: &str = include_str!("../fixtures/recent.json");
pub(in crate::sample) const ROLLOUT_GROUPS: &str = include_str!("../fixtures/rolloutgroups.json");
pub(in crate::sample) const ROOT_LINKS: &str = include_str!("../fixtures/root-links.json");
pub(in crate::sample) const RUNBOOK_SNAPSHOTS: &str =
    include_str!("../fixtures/runbooksnapshots.json");
pub(in crate::sample) const RUNBOOKS: &str = include_str!("../fixtures/runbooks.json");
pub(in crate::sample) const SPACE_LINKS: &str = include_str!("../fixtures/space-links.json");
pub(in crate::sample) const SPACES: &str = include_str!("../fixtures/spaces.json");
pub(in crate::sample) const STEP_LOGS: &str = include_str!("../fixtures/step-logs.json");
pub(in crate::sample) const TAG_SETS: &str = include_str!("../fixtures/tagsets.json");
pub(in crate::sample) const TEAMS: &str = include_str!("../fixtures/teams.json");
pub(in crate::sample) const TENANT_VARIABLES: &str =
    include_str!("../fixtures/tenantvariables.json");
pub(in crate::sample) const TENANTS: &str = include_str!("../fixtures/tenants.json");
pub(in crate::sample) const USER_ROLES: &str = include_str!("../fixtures/userroles.json");
pub(in crate::sample) const USERS: &str = include_str!("../fixtures/users.json");
pub(in crate::sample) const WORKER_POOLS: &str = include_str!("../fixtures/workerpools.json");
pub(in crate::sample) const WORKERS: &str = include_str!("../fixtures/workers.json");
pub(in crate::sample) const VARIABLES: &str = include_str!("../fixtures/variables.json");

/// A fixture as what it holds. A unit test proves that every one parses; should one not, the
/// sample instance has less to show instead of falling over.
pub(in crate::sample) fn parsed<T: DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}

/// A fixture that is a list of resources.
pub(super) fn resources(text: &str) -> Vec<Map<String, Value>> {
    parsed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fixture_parses() {
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

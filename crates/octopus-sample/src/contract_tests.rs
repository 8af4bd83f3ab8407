//! Responses of every read operation of the contract, compared with it.

use serde_json::json;

use super::Sample;
use super::contract::{Contract, Edition};
use super::test_client::{get, send};

/// Resources whose IDs are generated: the first of these lists.
const FIRST_OF: [(&str, &str); 5] = [
    ("events", "Spaces-1/events?take=1"),
    ("interruptions", "Spaces-1/interruptions?take=1"),
    ("runbookRuns", "Spaces-1/runbookRuns?take=1"),
    ("apikeys", "users/Users-41/apikeys?take=1"),
    ("deploymentfreezes", "deploymentfreezes?skip=0&take=1"),
];

/// Fills in the parameters of a path with IDs that exist in the sample.
fn filled(path: &str, generated: &[(&str, String)]) -> String {
    let is_in_git = path.contains("{gitRef}") || path.contains("/git/");
    let mut previous = "";
    let mut filled = String::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let first = generated.iter().find(|(name, _)| *name == previous);
        let value = match (segment, previous) {
            ("{gitRef}" | "{branchName}" | "{refName}", _) => "main",
            ("{tagName}", _) => "v2.5.0",
            ("{version}", _) => "1.12.0",
            ("{slug}", "featuretoggles") => "eta-window",
            ("{idOrName}", _) | (_, "runbookSnapshots") => "RunbookSnapshots-2",
            (_, "preview" | "environments") => "Environments-3",
            ("{tenant}" | "{tenantId}", _) | (_, "tenants") => "Tenants-1",
            (_, "accounts") => "Accounts-1",
            (_, "certificates") => "Certificates-1",
            (_, "channels") => "Channels-1",
            (_, "deploymentprocesses") => "deploymentprocess-Projects-1",
            (_, "deployments") => "Deployments-9004",
            (_, "libraryvariablesets") => "LibraryVariableSets-1",
            (_, "lifecycles") => "Lifecycles-1",
            (_, "machines") => "Machines-1",
            (_, "machinepolicies") => "MachinePolicies-1",
            (_, "projectgroups") => "ProjectGroups-1",
            (_, "projects") if is_in_git => "Projects-2",
            (_, "projects" | "progression") => "Projects-1",
            (_, "proxies") => "Proxies-1",
            (_, "releases") => "Releases-9003",
            (_, "rollout-groups") => "RolloutGroups-3",
            (_, "runbooks" | "runbookProcesses") if is_in_git => "rebuild-route-cache",
            (_, "runbookProcesses") => "RunbookProcess-Runbooks-1",
            (_, "runbooks") => "Runbooks-1",
            (_, "spaces") => "Spaces-1",
            (_, "tagsets") => "TagSets-1",
            (_, "tasks") => "ServerTasks-90004",
            (_, "teams") => "Teams-21",
            (_, "userroles") => "userroles-projectviewer",
            (_, "users") => "Users-41",
            (_, "variables") => "variableset-Projects-1",
            (_, "workerpools") => "WorkerPools-1",
            (_, "workers") => "Workers-1",
            _ => first.map_or(segment, |(_, id)| id),
        };
        filled.push('/');
        filled.push_str(if segment.starts_with('{') { value } else { segment });
        previous = segment;
    }
    filled
}

#[tokio::test]
async fn responses_follow_the_contract() {
    let mut problems = Vec::new();
    for edition in Edition::ALL {
        let sample = Sample::with_version(edition.server_version());
        let mut generated = Vec::new();
        for (name, list) in FIRST_OF {
            let found = get(&sample, list).await;
            let items = [&found["Items"], &found["DeploymentFreezes"]];
            let id = items.into_iter().find_map(|items| items[0]["Id"].as_str());
            generated.extend(id.map(|id| (name, id.to_owned())));
        }
        sample.check_responses(true);
        let mut served = 0;
        for operation in Contract::of(edition).operations() {
            if operation.method != "GET" {
                continue;
            }
            let space = if operation.is_in_space { "Spaces-1" } else { "" };
            let is_required = |name: &str| {
                operation.query.iter().any(|found| found.name == name && found.is_required)
            };
            let page = if is_required("skip") { "?skip=0&take=1000" } else { "?take=1000" };
            let has_page = operation.query.iter().any(|found| found.name == "take");
            let page = if has_page { page } else { "" };
            let path = format!("{space}{}{page}", filled(operation.path, &generated));
            let (status, _) = send(&sample, "GET", path.trim_start_matches('/'), json!(null)).await;
            if status != 200 {
                println!("{edition:?}: {status} for {path}");
            }
            served += usize::from(status == 200);
        }
        assert!(served > 120, "{served}");
        let found = sample.contract_problems().into_iter();
        problems.extend(found.map(|problem| format!("{edition:?} {problem}")));
    }
    assert_eq!(problems, Vec::<String>::new(), "\n{}", problems.join("\n"));
}

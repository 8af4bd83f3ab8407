//! The number of upstream requests of each tool: one for each kind of resource that it names,
//! whatever the number of resources.

use std::collections::BTreeMap;

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::{arguments::sample_calls, checked_server::CheckedServer};
use crate::support::wait_until_some;

/// The maximum number of requests of each tool, with the space already cached.
const BUDGETS: &[(&str, usize)] = &[
    // The user, its API keys, and the resources that the question names.
    ("explain_access", 3),
    ("list_spaces", 1),
    ("list_environments", 1),
    ("execute", 1),
    // The document.
    ("read_resource", 1),
    // The catalog is cached.
    ("grep_llms_txt", 0),
    // The page; lifecycles and groups by name.
    ("list_projects", 3),
    // The project, the process; environments. A branch is one more, and two if Octopus knows only
    // its full name; tags and commits are looked up after branches.
    ("get_deployment_process", 3),
    // The project, the common and project variable sets, library variable sets and their variables.
    ("get_variables", 5),
    // The project, the page; environments.
    ("find_runbooks", 3),
    // The user, its API keys. A key with the access level Custom: its permissions.
    ("get_current_user", 2),
    // The requests of get_task_details, and those of one row of list_deployments.
    ("get_task_from_url", 2),
    ("get_deployment_from_url", 7),
    ("get_branches", 2),
    // The page; projects, environments, tenants, channels, releases and tasks.
    ("list_deployments", 7),
    // The project, the page, names as for list_deployments, the details of the task.
    ("get_latest_deployment", 9),
    // The release; its project and channel.
    ("get_release_by_id", 3),
    ("list_releases", 3),
    ("list_releases_for_project", 4),
    // The task; its project.
    ("get_task_by_id", 2),
    ("get_task_details", 2),
    ("get_task_raw", 1),
    ("grep_task_log", 1),
    // The page; the source tenants of copies.
    ("list_tenants", 2),
    // The tenant; projects, environments, the source tenant of the copy.
    ("get_tenant_by_id", 4),
    // The tenant; common and project variables; environments.
    ("get_tenant_variables", 4),
    // All missing variables; tenants, projects, environments, library variable sets.
    ("get_missing_tenant_variables", 5),
    // The project, the environment, the tenant, the status; targets.
    ("get_kubernetes_live_status", 5),
    // The page; environments and tenants by name.
    ("find_deployment_targets", 3),
    ("find_certificates", 3),
    ("find_accounts", 3),
    // The page; projects, environments, tenants, teams and people by name.
    ("find_interruptions", 6),
    // The project, the page, environments.
    ("find_feature_toggles", 3),
    ("find_events", 1),
];

/// Counts the requests of each path, ignoring the query.
fn count_by_path(requests: &[String]) -> BTreeMap<&str, usize> {
    let mut paths = BTreeMap::new();
    for request in requests {
        *paths.entry(request.split('?').next().unwrap()).or_default() += 1;
    }
    paths
}

#[tokio::test]
async fn tools_stay_within_their_request_budget() {
    let server = CheckedServer::start().await;
    let known = ["/api?", "/api/spaces?partialName"];
    for (tool, arguments) in sample_calls() {
        let budget = BUDGETS.iter().find(|(named, _)| *named == tool);
        let (_, budget) = *budget.unwrap_or_else(|| panic!("{tool} has no budget"));
        server.call_ok_once(tool, arguments.clone()).await;
        server.take_requests();
        server.call_ok_once(tool, arguments).await;
        let sent = server.take_requests();
        assert!(sent.len() <= budget, "{tool} may send {budget}: {sent:#?}");
        let again = sent.iter().find(|path| known.iter().any(|known| path.starts_with(known)));
        assert_eq!(again, None, "{tool} must answer this from its cache");
    }
}

#[tokio::test]
async fn request_count_is_independent_of_page_size() {
    let server = CheckedServer::start().await;
    server.call_ok_once("list_spaces", json!({})).await;
    for tool in ["list_projects", "list_deployments", "list_releases", "list_tenants"] {
        let mut counts = Vec::new();
        for take in [9, 100] {
            server.call_ok_once(tool, json!({ "space": "Default", "take": take })).await;
            server.take_requests();
            server.call_ok_once(tool, json!({ "space": "Default", "take": take })).await;
            let sent = server.take_requests();
            assert!(count_by_path(&sent).values().all(|count| *count == 1), "{tool}: {sent:#?}");
            counts.push(sent.len());
        }
        assert_eq!(counts[0], counts[1], "{tool}");
    }
}

#[tokio::test]
async fn resolves_many_names_with_one_lookup() {
    let server = CheckedServer::start().await;
    let arguments = json!({
        "space": "Default", "take": 1,
        "projects": ["Parcel Tracking API", "route-planner", "Projects-3", "billing engine"],
        "environments": ["Production", "Staging", "test"],
        "tenants": ["Tenants-1", "Hollis Freight", "northgate-parcels"],
    });
    server.call_ok_once("list_deployments", arguments.clone()).await;
    server.take_requests();
    server.call_ok_once("list_deployments", arguments).await;
    let sent = server.take_requests();
    for kind in ["projects", "environments", "tenants"] {
        let path = format!("/api/Spaces-1/{kind}");
        let count = count_by_path(&sent).get(path.as_str()).copied().unwrap_or_default();
        assert!(count <= 2, "at most one lookup by name and one by ID: {sent:#?}");
    }
}

#[tokio::test]
async fn resolves_channels_of_all_projects_with_one_lookup() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Default", "channels": ["Default", "Hotfix", "Early Ring"] });
    server.call_ok_once("list_deployments", arguments).await;
    let sent = server.take_requests();
    let channels: Vec<&String> = sent.iter().filter(|path| path.contains("channel")).collect();
    // One lookup finds the channels and one returns the channel names of the page. Deployments are
    // filtered by channel IDs.
    assert_eq!(channels.len(), 3, "{channels:#?}");
}

#[tokio::test]
async fn looks_up_a_space_once() {
    let server = CheckedServer::start().await;
    for (tool, arguments) in sample_calls() {
        server.call_ok_once(tool, arguments).await;
    }
    let look_ups = |sent: &[String]| {
        sent.iter().filter(|path| path.starts_with("/api/spaces?partialName")).count()
    };
    let sent = server.take_requests();
    assert_eq!(look_ups(&sent), 1);
    assert_eq!(sent.iter().filter(|path| *path == "/api?").count(), 1, "the version is cached too");
}

#[tokio::test]
async fn alternative_name_forms_cost_one_more_lookup() {
    let server = CheckedServer::start().await;
    server.call_ok_once("list_projects", json!({ "space": "Default" })).await;
    for (name, max_requests) in
        [("Tenants-1", 1), ("Brightwater Couriers", 1), ("brightwater-couriers", 2)]
    {
        server.take_requests();
        let arguments: Value = json!({ "space": "Default", "tenant": name });
        server.call_ok_once("get_tenant_by_id", arguments).await;
        let sent = server.take_requests();
        let found = sent.iter().filter(|path| path.contains("/tenants")).count();
        assert!(found <= max_requests, "{name}: {sent:#?}");
    }
}

/// The lookups of channel names and of project names start before either response
/// arrives.
#[tokio::test]
async fn independent_lookups_run_concurrently() {
    let server = CheckedServer::start().await;
    server.call_ok_once("list_spaces", json!({})).await;
    server.call_ok_once("list_releases", json!({ "space": "Default" })).await;
    server.take_requests();
    for path in ["/projects", "/channels"] {
        let slow = Fault::on(path).delay(std::time::Duration::from_millis(500));
        server.server.sample.faults().add(slow);
    }
    let call = server.call_ok_once("list_releases", json!({ "space": "Default" }));
    let concurrent = wait_until_some(async || {
        let journal = server.server.sample.journal();
        let waits = |path: &str| {
            journal.iter().any(|entry| entry.path.ends_with(path) && entry.status.is_none())
        };
        (waits("/projects") && waits("/channels")).then_some(())
    });
    let (_, ()) = tokio::join!(call, concurrent);
}

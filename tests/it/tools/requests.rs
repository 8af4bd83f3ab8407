//! How many requests each tool may send: one for each kind of thing that it names, whatever the
//! number of things.

use std::collections::BTreeMap;

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::{arguments::calls, held::Held};
use crate::support::soon;

/// How many requests a tool sends at most, with the space known from before.
const BUDGETS: &[(&str, usize)] = &[
    // The user, and whatever the question names.
    ("explain_access", 2),
    ("list_spaces", 1),
    ("list_environments", 1),
    ("execute", 1),
    // The document.
    ("read_resource", 1),
    // The catalog is remembered.
    ("grep_llms_txt", 0),
    // The page; lifecycles and groups by name.
    ("list_projects", 3),
    // The project, the process; environments. A branch or tag is two more, a commit three.
    ("get_deployment_process", 3),
    // The project, two halves, library variable sets and their variables.
    ("get_variables", 5),
    // The project, the page; environments.
    ("find_runbooks", 3),
    ("get_current_user", 1),
    // What get_task_details sends, and what one row of list_deployments does.
    ("get_task_from_url", 2),
    ("get_deployment_from_url", 7),
    ("get_branches", 2),
    // The page; projects, environments, tenants, channels, releases and tasks.
    ("list_deployments", 7),
    // The project, the page, the same names, the details of the task.
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
    // The page; the tenants that some were copied from.
    ("list_tenants", 2),
    // The tenant; projects, environments, the tenant that it was copied from.
    ("get_tenant_by_id", 4),
    // The tenant; two halves; environments.
    ("get_tenant_variables", 4),
    // All that is missing; tenants, projects, environments, library variable sets.
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

/// How often each path was asked, without its query.
fn by_path(requests: &[String]) -> BTreeMap<&str, usize> {
    let mut paths = BTreeMap::new();
    for request in requests {
        *paths.entry(request.split('?').next().unwrap()).or_default() += 1;
    }
    paths
}

#[tokio::test]
async fn no_tool_sends_more_than_its_budget() {
    let server = Held::start().await;
    let known = ["/api?", "/api/spaces?partialName"];
    for (tool, arguments) in calls() {
        let budget = BUDGETS.iter().find(|(named, _)| *named == tool);
        let (_, budget) = *budget.unwrap_or_else(|| panic!("{tool} has no budget"));
        server.answer_once(tool, arguments.clone()).await;
        server.requests();
        server.answer_once(tool, arguments).await;
        let sent = server.requests();
        assert!(sent.len() <= budget, "{tool} may send {budget}: {sent:#?}");
        let again = sent.iter().find(|path| known.iter().any(|known| path.starts_with(known)));
        assert_eq!(again, None, "{tool} knows this from before");
    }
}

#[tokio::test]
async fn a_page_costs_the_same_whatever_its_number_of_items() {
    let server = Held::start().await;
    server.answer_once("list_spaces", json!({})).await;
    for tool in ["list_projects", "list_deployments", "list_releases", "list_tenants"] {
        let mut counts = Vec::new();
        for take in [9, 100] {
            server.answer_once(tool, json!({ "space": "Default", "take": take })).await;
            server.requests();
            server.answer_once(tool, json!({ "space": "Default", "take": take })).await;
            let sent = server.requests();
            assert!(by_path(&sent).values().all(|count| *count == 1), "{tool}: {sent:#?}");
            counts.push(sent.len());
        }
        assert_eq!(counts[0], counts[1], "{tool}");
    }
}

#[tokio::test]
async fn many_names_of_a_kind_are_one_look_up() {
    let server = Held::start().await;
    let arguments = json!({
        "space": "Default", "take": 1,
        "projects": ["Parcel Tracking API", "route-planner", "Projects-3", "billing engine"],
        "environments": ["Production", "Staging", "test"],
        "tenants": ["Tenants-1", "Hollis Freight", "northgate-parcels"],
    });
    server.answer_once("list_deployments", arguments.clone()).await;
    server.requests();
    server.answer_once("list_deployments", arguments).await;
    let sent = server.requests();
    for kind in ["projects", "environments", "tenants"] {
        let path = format!("/api/Spaces-1/{kind}");
        let count = by_path(&sent).get(path.as_str()).copied().unwrap_or_default();
        assert!(count <= 2, "one to find and one to name: {sent:#?}");
    }
}

#[tokio::test]
async fn channels_are_found_in_one_look_up_for_all_projects() {
    let server = Held::start().await;
    let arguments = json!({ "space": "Default", "channels": ["Default", "Hotfix", "Early Ring"] });
    server.answer_once("list_deployments", arguments).await;
    let sent = server.requests();
    let channels: Vec<&String> = sent.iter().filter(|path| path.contains("channel")).collect();
    // One to find them, one to name those of the page; the deployments are asked by their IDs.
    assert_eq!(channels.len(), 3, "{channels:#?}");
}

#[tokio::test]
async fn a_space_is_looked_up_once() {
    let server = Held::start().await;
    for (tool, arguments) in calls() {
        server.answer_once(tool, arguments).await;
    }
    let look_ups = |sent: &[String]| {
        sent.iter().filter(|path| path.starts_with("/api/spaces?partialName")).count()
    };
    let sent = server.requests();
    assert_eq!(look_ups(&sent), 1);
    assert_eq!(sent.iter().filter(|path| *path == "/api?").count(), 1, "the version too");
}

#[tokio::test]
async fn a_name_in_another_form_costs_one_more_look_up_at_most() {
    let server = Held::start().await;
    server.answer_once("list_projects", json!({ "space": "Default" })).await;
    for (name, most) in [("Tenants-1", 1), ("Brightwater Couriers", 1), ("brightwater-couriers", 2)]
    {
        server.requests();
        let arguments: Value = json!({ "space": "Default", "tenant": name });
        server.answer_once("get_tenant_by_id", arguments).await;
        let sent = server.requests();
        let found = sent.iter().filter(|path| path.contains("/tenants")).count();
        assert!(found <= most, "{name}: {sent:#?}");
    }
}

/// While the names of projects are still awaited, those of channels have been asked for, and the
/// other way round.
#[tokio::test]
async fn look_ups_that_do_not_need_each_other_run_together() {
    let server = Held::start().await;
    server.answer_once("list_spaces", json!({})).await;
    server.answer_once("list_releases", json!({ "space": "Default" })).await;
    server.requests();
    for path in ["/projects", "/channels"] {
        let slow = Fault::on(path).delay(std::time::Duration::from_millis(500));
        server.server.sample.faults().add(slow);
    }
    let call = server.answer_once("list_releases", json!({ "space": "Default" }));
    let together = soon(async || {
        let asked = server.server.sample.journal();
        let waits = |path: &str| {
            asked.iter().any(|entry| entry.path.ends_with(path) && entry.status.is_none())
        };
        (waits("/projects") && waits("/channels")).then_some(())
    });
    let (_, ()) = tokio::join!(call, together);
}

//! `list_deployments`.

use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, column, list_response};

async fn list(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok("list_deployments", arguments).await
}

#[tokio::test]
async fn lists_deployments_newest_first_with_names() {
    let server = CheckedServer::start().await;
    let found = list(&server, json!({ "take": 5 })).await;
    let newest = [
        "Deployments-9031",
        "Deployments-9028",
        "Deployments-9009",
        "Deployments-9008",
        "Deployments-9004",
    ];
    assert_eq!(column(&found, "id"), newest);
    assert_eq!(
        column(&found, "taskState"),
        ["Executing", "Executing", "Queued", "Executing", "Failed"]
    );
    assert_eq!(
        column(&found, "tenantName"),
        ["Brightwater Couriers", "-", "Hollis Freight", "Brightwater Couriers", "-"]
    );
    assert_eq!((&found["totalResults"], &found["nextSkip"]), (&json!(651), &json!(5)));
    let waits = &found["items"][3];
    assert_eq!(waits["hasPendingInterruptions"], true);
    assert_eq!(waits["versionControlReference"]["gitRef"], "refs/heads/main");
    assert_eq!(waits["comments"], "Window agreed with the customer");
    let failed = json!({ "items": [found["items"][4]] });
    assert_eq!(column(&failed, "environmentName"), ["Staging"]);
    assert_eq!(column(&failed, "releaseVersion"), ["1.12.0"]);
    assert_snapshot("list_deployments", &list(&server, json!({ "take": 2, "skip": 3 })).await);
}

#[tokio::test]
async fn truncates_between_deployments_and_hints_at_next_page() {
    let server = CheckedServer::start().await;
    let found = list(&server, json!({})).await;
    let count = found["items"].as_array().unwrap().len();
    assert!((20..30).contains(&count), "{count}");
    assert_eq!(found["nextSkip"], count);
    assert!(found["truncated"]["how"].as_str().unwrap().contains(&format!("skip {count}")));
    let next = list(&server, json!({ "take": 1, "skip": count - 1 })).await;
    assert_eq!(next["items"][0]["id"], found["items"][count - 1]["id"]);
    let capped = list(&server, json!({ "take": 5000, "taskState": "TimedOut" })).await;
    assert_eq!(capped["take"], 100);
}

#[tokio::test]
async fn shows_the_kind_of_actor_that_deployed() {
    let server = CheckedServer::start().await;
    let releases = json!({ "projects": "Projects-6", "take": 50 });
    let found = list(&server, releases.clone()).await;
    let items = found["items"].as_array().unwrap();
    let by = |id: &str| items.iter().find(|item| item["id"] == id).unwrap();
    assert_eq!(by("Deployments-9022")["deployedByActorType"], "ServiceAccount");
    assert_eq!(by("Deployments-9024")["deployedByActorType"], "Agent");
    assert_eq!(by("Deployments-9025")["deployedByActorType"], "User");
    let old = CheckedServer::with_version("2026.2.4000").await;
    let found = list(&old, releases).await;
    assert!(found["items"][0].get("deployedByActorType").is_none(), "{found}");
}

#[tokio::test]
async fn combines_filters() {
    let server = CheckedServer::start().await;
    let arguments = json!({
        "projects": ["parcel tracking api", "Projects-3"], "environments": ["PRODUCTION"], "taskState": "Failed",
    });
    let found = list(&server, arguments).await;
    assert!(column(&found, "environmentName").iter().all(|name| *name == "Production"));
    assert!(column(&found, "taskState").iter().all(|state| *state == "Failed"));
    let projects = column(&found, "projectName");
    assert!(projects.iter().all(|name| ["Parcel Tracking API", "Depot Portal"].contains(name)));
    assert_eq!(column(&found, "id")[0], "Deployments-9013");

    let arguments = json!({ "tenants": ["hollis-freight"], "environments": "Environments-3", "taskState": "Queued" });
    assert_eq!(column(&list(&server, arguments).await, "id"), ["Deployments-9009"]);
}

#[tokio::test]
async fn filters_by_every_task_state() {
    let server = CheckedServer::start().await;
    for (space, state, first) in [
        ("Default", "Queued", "ServerTasks-90009"),
        ("Default", "Executing", "ServerTasks-90031"),
        ("Default", "Canceled", "ServerTasks-90015"),
        ("Default", "Failed", "ServerTasks-90004"),
        ("Default", "Success", "ServerTasks-90025"),
        ("Spaces-22", "TimedOut", "ServerTasks-90044"),
        ("Spaces-22", "Cancelling", "ServerTasks-90042"),
    ] {
        let arguments = json!({ "space": space, "taskState": state, "take": 1 });
        let found = server.call_ok("list_deployments", arguments).await;
        assert_eq!(column(&found, "taskState"), [state]);
        assert_eq!(column(&found, "taskId"), [first], "{state}");
    }
    let expected = ["taskState", "`Broken`", "`TimedOut`"];
    let arguments = json!({ "space": "Default", "taskState": "Broken" });
    server.assert_error_contains("list_deployments", arguments, &expected).await;
}

#[tokio::test]
async fn channel_name_matches_channels_of_selected_projects() {
    let server = CheckedServer::start().await;
    let found = list(&server, json!({ "channels": ["HOTFIX"], "take": 100 })).await;
    assert!(column(&found, "channelName").iter().all(|name| *name == "Hotfix"));
    let one = json!({ "channels": ["default"], "projects": ["Billing Engine"], "take": 3 });
    assert_eq!(column(&list(&server, one).await, "channelId"), ["Channels-5"; 3]);
    let by_id = json!({ "channels": ["Channels-5"], "take": 1 });
    assert_eq!(column(&list(&server, by_id).await, "projectName"), ["Billing Engine"]);
    let expected = ["channel 'hotfx' not found", "did you mean one of these? 'Hotfix'"];
    let message = server
        .call_error("list_deployments", json!({ "space": "Default", "channels": ["hotfx"] }))
        .await;
    assert!(
        expected.iter().all(|word| message.contains(word))
            && message.matches("Hotfix").count() == 1,
        "{message}"
    );
}

#[tokio::test]
async fn empty_result_names_the_filters() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "projects": ["Carrier Onboarding"], "taskState": "Success" });
    let none = list(&server, arguments).await;
    assert_eq!(none["hint"], "no deployment matches projects and taskState; leave one out");
    let past = list(&server, json!({ "skip": 5000 })).await;
    assert!(past["hint"].as_str().unwrap().contains("the list has 651 items"));
}

#[tokio::test]
async fn unknown_names_get_suggestions() {
    let server = CheckedServer::start().await;
    for (argument, unknown, near) in [
        ("projects", "Parcel Tracking", "'Parcel Tracking API'"),
        ("environments", "Prodction", "'Production'"),
        ("tenants", "Brightwater", "'Brightwater Couriers'"),
        ("projects", "Projects-999", "project 'Projects-999' not found"),
    ] {
        let arguments = json!({ "space": "Default", argument: [unknown] });
        server.assert_error_contains("list_deployments", arguments, &[unknown, near]).await;
        let arguments = json!({ "space": "Default", argument: [unknown, "x"] });
        server.assert_error_contains("list_deployments", arguments, &[unknown, near]).await;
    }
}

#[tokio::test]
async fn ambiguous_project_name_lists_candidates() {
    let server = CheckedServer::start().await;
    let twins =
        json!([{ "Id": "Projects-1", "Name": "Twin" }, { "Id": "Projects-2", "Name": "twin" }]);
    server.mock_response("/Spaces-1/projects", &list_response(&twins));
    let expected = ["more than one project", "Twin (Projects-1), twin (Projects-2)"];
    server
        .assert_error_contains(
            "list_deployments",
            json!({ "space": "Default", "projects": ["TWIN"] }),
            &expected,
        )
        .await;
    let arguments = json!({ "space": "Default", "projects": ["twin"], "take": 1 });
    let found = server.call_ok("list_deployments", arguments).await;
    assert_eq!(
        column(&found, "projectId"),
        ["Projects-2"],
        "an exact match in letter case takes precedence"
    );
}

#[tokio::test]
async fn lists_targets_of_a_limited_deployment() {
    let server = CheckedServer::start().await;
    let deployment = json!({
        "Id": "Deployments-1", "ReleaseId": "Releases-9002", "ProjectId": "Projects-1",
        "EnvironmentId": "Environments-2", "TaskId": "ServerTasks-90004",
        "SpecificMachineIds": ["Machines-1", "machines-old"], "ExcludedMachineIds": null,
    });
    server.mock_response("/deployments", &list_response(&json!([deployment])));
    server.mock_response(
        "/machines",
        &list_response(&json!([{ "Id": "Machines-1", "Name": "web-01" }])),
    );
    let found = list(&server, json!({})).await;
    assert_eq!(found["items"][0]["specificMachineIds"], json!(["Machines-1", "machines-old"]));
    assert_eq!(found["items"][0]["specificMachineNames"], json!(["web-01"]));
    assert_eq!(found["items"][0]["excludedMachineIds"], json!([]));
}

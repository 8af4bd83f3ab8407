//! `get_current_user` and `get_branches`.

use octopus_sample::{Fault, keys};
use serde_json::json;

use super::checked_server::{CheckedServer, assert_snapshot, column, list_response};

#[tokio::test]
async fn returns_the_current_user() {
    let server = CheckedServer::start().await;
    let user = server.call_ok("get_current_user", json!({})).await;
    assert_eq!(user["username"], "octopus.admin");
    assert_snapshot("get_current_user", &user);
    let other =
        server.server.call_as(keys::DEFAULT_SPACE_ONLY, "get_current_user", json!({})).await;
    assert_eq!(other.structured["displayName"], "Freight Release Desk");
    let expected = ["unknown argument `space`", "Accepted: none"];
    server
        .assert_error_contains("get_current_user", json!({ "space": "Default" }), &expected)
        .await;
}

#[tokio::test]
async fn reads_user_documents_of_old_versions() {
    let server = CheckedServer::start().await;
    server.mock_response("/users/me", &json!({ "Id": "users-admin", "DisplayName": null }));
    let user = server.call_ok("get_current_user", json!({})).await;
    assert_eq!((&user["id"], &user["isActive"]), (&json!("users-admin"), &json!(false)));
}

#[tokio::test]
async fn lists_and_searches_branches() {
    let server = CheckedServer::start().await;
    for project in ["Route Planner", "route-planner", "Projects-2"] {
        let arguments = json!({ "space": "Default", "project": project, "searchByName": "main" });
        let found = server.call_ok("get_branches", arguments).await;
        let names = ["main", "main-backup", "maintenance", "maintenance/2.5"];
        assert_eq!(column(&found, "name"), names);
        assert_eq!(found["items"][0]["isDefault"], true);
        assert_eq!(found["items"][1].get("isDefault"), None);
        assert_eq!(found["items"][3]["canonicalName"], "refs/heads/maintenance/2.5");
    }
    let page = json!({ "space": "Default", "projectId": "Projects-2", "take": 2, "skip": 39 });
    let page = server.call_ok("get_branches", page).await;
    assert_eq!((page["totalResults"].as_u64(), column(&page, "name").len()), (Some(40), 1));
    let none = json!({ "space": "Default", "projectId": "Projects-2", "searchByName": "zzz" });
    let none = server.call_ok("get_branches", none).await;
    assert!(none["hint"].as_str().unwrap().contains("'zzz'"), "{none}");
    server.mock_response("/git/branches", &json!({ "TotalResults": 0, "Items": [] }));
    let none = json!({ "space": "Default", "projectId": "Projects-2" });
    let none = server.call_ok("get_branches", none).await;
    assert!(none["hint"].as_str().unwrap().contains("no branch of 'Route Planner'"), "{none}");
}

#[tokio::test]
async fn rejects_branches_of_projects_outside_git() {
    let server = CheckedServer::start().await;
    let expected = ["'Billing Engine' is not version-controlled", "no gitRef"];
    let arguments = json!({ "space": "Default", "projectId": "Billing Engine" });
    server.assert_error_contains("get_branches", arguments, &expected).await;
    let old = CheckedServer::with_version("2021.1.7500").await;
    let arguments = json!({ "space": "Default", "projectId": "Projects-1" });
    old.assert_error_contains("get_branches", arguments, &["needs Octopus 2021.2"]).await;
}

#[tokio::test]
async fn recreated_space_is_found_after_one_failed_call() {
    for (tool, arguments) in [
        ("get_task_by_id", json!({ "taskId": "ServerTasks-90042" })),
        ("list_projects", json!({})),
        ("list_tenants", json!({ "projectId": "Projects-41" })),
    ] {
        let server = CheckedServer::start().await;
        let call = async || {
            let mut arguments = arguments.clone();
            arguments["space"] = json!("Warehouse Systems");
            server.server.call_as(keys::ADMIN, tool, arguments).await
        };
        // The cached space has an ID that no longer exists.
        let before = list_response(&json!([{ "Id": "Spaces-21", "Name": "Warehouse Systems" }]));
        let fault = Fault::on("/api/spaces").times(1).body(&before.to_string());
        server.server.sample.faults().add(fault);
        assert!(call().await.is_error, "{tool}");
        let called = call().await;
        assert!(!called.is_error, "{tool}: {}", called.text);
    }
}

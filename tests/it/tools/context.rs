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
async fn shows_what_the_api_key_may_do() {
    let server = CheckedServer::start().await;
    let admin = server.call_ok("get_current_user", json!({})).await;
    assert_eq!(
        (&admin["credential"], &admin["accessLevel"]),
        (&json!("API key"), &json!("FullAccess"))
    );
    assert_eq!((&admin["actorType"], admin.get("scopes")), (&json!("User"), None));
    assert!(admin["expires"].as_str().unwrap().starts_with("2027-"), "{admin}");
    let reader = server.server.call_as(keys::VIEW_ONLY, "get_current_user", json!({})).await;
    assert_eq!(reader.structured["accessLevel"], "ReadOnly");

    let agent = server.server.call_as(keys::AGENT, "get_current_user", json!({})).await;
    let agent = agent.structured;
    assert_eq!(agent["username"], "night-agent", "a key with another prefix is accepted");
    assert_eq!((&agent["accessLevel"], &agent["actorType"]), (&json!("Custom"), &json!("AiAgent")));
    assert_eq!(agent["serviceAccountType"], "Agent");
    let scope = &agent["scopes"][0];
    assert_eq!(
        (&scope["spaceId"], &scope["projectIds"]),
        (&json!("Spaces-1"), &json!(["Projects-1"]))
    );
    assert!(scope["permissions"].to_string().contains("DeploymentView"), "{agent}");
    assert!(scope.get("environmentIds").is_none(), "an empty list does not restrict");

    assert!(!admin.to_string().contains("API-SAMP"), "the hint is not shown: {admin}");

    let old = CheckedServer::with_version("2025.4.1").await;
    let user = old.call_ok("get_current_user", json!({})).await;
    assert!(user.get("accessLevel").is_none() && user.get("actorType").is_none(), "{user}");
    assert!(user["expires"].as_str().unwrap().starts_with("2027-"), "{user}");
}

#[tokio::test]
async fn unidentified_api_keys_stay_unknown() {
    let key = |hint: &str| {
        json!({ "Id": "APIKeys-1", "ApiKey": { "HasValue": true, "Hint": hint },
                "AccessLevel": "FullAccess", "ActorType": "User", "Expires": "9999-12-31T23:59:59Z" })
    };
    let server = CheckedServer::start().await;
    for (items, total, reason) in [
        (json!([key("API-SAMP"), key("API-SAM")]), 2, Some("2 API keys of the user begin alike")),
        (
            json!([key("API-OTHER"), key("API-"), { "Id": "APIKeys-3" }]),
            3,
            Some("lists no API key"),
        ),
        (json!([key("API-SAMP")]), 201, Some("more than 1 API keys")),
        (json!(null), 0, Some("lists no API key")),
        (json!([key("API-SAMP"), key("API-OTHER")]), 2, None),
    ] {
        let body = json!({ "Items": items, "TotalResults": total });
        server.mock_response("/apikeys", &body);
        let user = server.call_ok("get_current_user", json!({})).await;
        let unknown = user["unknown"].as_str();
        assert_eq!(unknown.is_some(), reason.is_some(), "{user}");
        assert!(unknown.is_none_or(|text| text.contains(reason.unwrap())), "{user}");
        let expected = if reason.is_none() { json!("FullAccess") } else { json!(null) };
        assert_eq!(user["accessLevel"], expected, "never guessed: {user}");
        server.server.sample.faults().clear();
    }
    server.mock_response("/apikeys", &json!({ "Items": [key("API-SAMP")], "TotalResults": 1 }));
    let user = server.call_ok("get_current_user", json!({})).await;
    assert_eq!(user["expires"], "9999-12-31T23:59:59Z", "shown as Octopus reports it");
    server.server.sample.faults().clear();
    server.server.sample.faults().add(Fault::on("/apikeys").status(403));
    let user = server.call_ok("get_current_user", json!({})).await;
    assert_eq!(user["username"], "octopus.admin");
    assert!(user["unknown"].as_str().unwrap().contains("were not read"), "{user}");
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

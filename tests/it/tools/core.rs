//! `list_spaces` and `list_environments`.

use serde_json::json;

use super::checked_server::{CheckedServer, assert_snapshot, column};

#[tokio::test]
async fn list_spaces_shows_both_spaces() {
    let server = CheckedServer::start().await;
    let spaces = server.call_ok("list_spaces", json!({})).await;
    assert_eq!(column(&spaces, "id"), ["Spaces-1", "Spaces-22"]);
    assert_eq!(column(&spaces, "slug"), ["default", "warehouse-systems"]);
    assert_eq!(
        (&spaces["totalResults"], &spaces["items"][0]["isDefault"]),
        (&json!(2), &json!(true))
    );
    assert!(spaces.get("nextSkip").is_none() && spaces.get("hint").is_none());
    assert_snapshot("list_spaces", &spaces);
}

#[tokio::test]
async fn list_spaces_filters_and_pages() {
    let server = CheckedServer::start().await;
    let found = server.call_ok("list_spaces", json!({ "partialName": "WARE" })).await;
    assert_eq!(column(&found, "name"), ["Warehouse Systems"]);
    let first = server.call_ok("list_spaces", json!({ "take": 1 })).await;
    assert_eq!((&first["nextSkip"], &first["numberOfPages"]), (&json!(1), &json!(2)));
    let second = server.call_ok("list_spaces", json!({ "take": 1, "skip": 1 })).await;
    assert_eq!(column(&second, "id"), ["Spaces-22"]);
    assert!(second.get("nextSkip").is_none());
    let none = server.call_ok("list_spaces", json!({ "partialName": "zzz" })).await;
    assert!(none["hint"].as_str().unwrap().contains("'zzz'"));
    let past = server.call_ok("list_spaces", json!({ "skip": 9 })).await;
    assert!(past["hint"].as_str().unwrap().contains("the list has 2 items"));
}

#[tokio::test]
async fn list_environments_keeps_octopus_sort_order() {
    let server = CheckedServer::start().await;
    let list = server.call_ok("list_environments", json!({ "space": "Default" })).await;
    let fixed = ["Development", "Test", "Staging", "Production"];
    assert_eq!(column(&list, "name"), [&fixed[..], &["Pull Requests", "pr-482"]].concat());
    let production = &list["items"][3];
    assert_eq!(production["id"], "Environments-3");
    assert_eq!(production["sortOrder"], 3);
    assert_eq!(production["useGuidedFailure"], true);
    assert_eq!(production["extensionSettings"], json!([]));
    assert_snapshot("list_environments", &list);
}

#[tokio::test]
async fn accepts_space_name_slug_or_id() {
    let server = CheckedServer::start().await;
    let by_id = server.call_ok("list_environments", json!({ "space": "Spaces-22" })).await;
    assert_eq!(column(&by_id, "id"), ["Environments-21", "Environments-22"]);
    for arguments in [
        json!({ "space": "Warehouse Systems" }),
        json!({ "space": "WAREHOUSE systems" }),
        json!({ "space": " warehouse-systems " }),
        json!({ "space": "spaces-22" }),
        json!({ "spaceName": "warehouse systems" }),
        json!({ "spaceId": "Spaces-22", "partialName": null }),
    ] {
        assert_eq!(server.call_ok("list_environments", arguments).await, by_id);
    }
}

#[tokio::test]
async fn unknown_space_error_suggests_names() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Warehose Systems" });
    let parts = ["space 'Warehose Systems' not found", "'Warehouse Systems'", "list_spaces"];
    server.assert_error_contains("list_environments", arguments, &parts).await;
    server
        .assert_error_contains(
            "list_environments",
            json!({}),
            &["space: ", "required", "list_spaces"],
        )
        .await;
    let twice = json!({ "space": "Default", "spaceId": "Spaces-1" });
    server.assert_error_contains("list_environments", twice, &["given twice"]).await;
    for odd in ["constructor", "__proto__", "Spaces-9999", "../Spaces-1", ""] {
        let expected = format!("space '{odd}' not found");
        server
            .assert_error_contains("list_environments", json!({ "space": odd }), &[&expected])
            .await;
    }
}

#[tokio::test]
async fn list_environments_hints_why_list_is_empty() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Default", "partialName": "yard" });
    let none = server.call_ok("list_environments", arguments).await;
    let hint = none["hint"].as_str().unwrap();
    assert!(hint.contains("'yard'") && hint.contains("'Default'"), "{hint}");
    assert_eq!(none["items"], json!([]));
}

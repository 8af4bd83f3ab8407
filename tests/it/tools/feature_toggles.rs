//! `find_feature_toggles`.

use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, column, list_response};

const TOOL: &str = "find_feature_toggles";

async fn find(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok(TOOL, arguments).await
}

#[tokio::test]
async fn lists_toggles_with_environments() {
    let server = CheckedServer::start().await;
    let found = find(&server, json!({ "projectId": "Projects-1", "partialName": "ETA" })).await;
    assert_eq!(column(&found, "slug"), ["eta-window"]);
    let toggle = &found["items"][0];
    assert_eq!(toggle["environmentSummaries"][1]["environmentName"], "Production");
    assert_eq!(toggle["environmentSummaries"][1]["rolloutPercentage"], 25);
    assert_eq!(
        toggle["resourceUri"],
        "octopus://spaces/Default/projects/Projects-1/featuretoggles/eta-window"
    );
    for project in ["parcel tracking api", "parcel-tracking-api"] {
        let again = find(&server, json!({ "project": project, "partialName": "eta" })).await;
        assert_eq!(again, found, "{project}");
    }
    assert_snapshot(TOOL, &found);
}

#[tokio::test]
async fn filters_and_pages_limit_the_results() {
    let server = CheckedServer::start().await;
    let all = find(&server, json!({ "projectId": "Projects-3" })).await;
    assert_eq!(column(&all, "slug"), ["kiosk-mode", "offline-checklists", "shift-swaps"]);
    let there = json!({ "projectId": "Projects-3", "environmentIds": ["staging"] });
    assert_eq!(column(&find(&server, there).await, "slug"), ["offline-checklists"]);
    let tagged = json!({ "projectId": "Projects-1", "tags": ["Tier/Gold"], "take": 1, "skip": 1 });
    let tagged = find(&server, tagged).await;
    assert_eq!((&tagged["skip"], &tagged["take"]), (&json!(1), &json!(1)));
    assert!(tagged["items"][0]["tags"].as_array().unwrap().contains(&json!("Tier/Gold")));
    let sent = server.take_requests();
    let search = sent.iter().rev().find(|sent| sent.contains("/featuretoggles?")).unwrap();
    assert!(search.contains("Skip=1&Take=1&Tags=Tier%2FGold"), "{search}");
    let capped = server
        .call_ok_once(TOOL, json!({ "space": "Default", "projectId": "Projects-1", "take": 5000 }))
        .await;
    assert_eq!(capped["take"], 100);
    let none = find(&server, json!({ "projectId": "Projects-3", "partialName": "zzz" })).await;
    assert!(none["hint"].as_str().unwrap().contains("matches partialName; leave one out"));
    server.mock_response("/featuretoggles", &list_response(&json!([{ "Id": "FeatureToggles-1", "Slug": "bare", "Environments": null, "Tags": null }])));
    let bare = find(&server, json!({ "projectId": "Projects-1" })).await;
    assert_eq!(bare["items"][0]["defaultIsEnabled"], false);
    server.server.sample.faults().clear();
    server.mock_response("/featuretoggles", &list_response(&json!([])));
    let none = find(&server, json!({ "projectId": "Projects-1" })).await;
    assert!(none["hint"].as_str().unwrap().contains("'Parcel Tracking API' has no feature toggle"));
}

#[tokio::test]
async fn hints_why_there_are_no_toggles() {
    let server = CheckedServer::start().await;
    let projects = server.call_ok("list_projects", json!({ "space": "Warehouse Systems" })).await;
    let off = json!({ "space": "Warehouse Systems", "projectId": projects["items"][0]["id"] });
    server
        .assert_error_contains(TOOL, off, &["no feature toggles for project", "may be disabled"])
        .await;
    for (arguments, expected) in [
        (
            json!({ "projectId": "Parcel Tracking AP" }),
            &["project 'Parcel Tracking AP' not found", "'Parcel Tracking API'"][..],
        ),
        (
            json!({ "projectId": "Projects-1", "environmentIds": "Nowhere" }),
            &["environment 'Nowhere' not found"],
        ),
        (json!({ "projectId": "Projects-1", "tags": "Gold" }), &["tags", "Set/Tag"]),
        (json!({ "projectId": "Projects-1", "take": 0 }), &["take: must be at least 1"]),
        (json!({}), &["projectId", "required"]),
    ] {
        let mut arguments = arguments;
        arguments["space"] = json!("Default");
        server.assert_error_contains(TOOL, arguments, expected).await;
    }
    let old = CheckedServer::with_version("2026.1.10654").await;
    let arguments = json!({ "space": "Default", "projectId": "Projects-1" });
    old.assert_error_contains(TOOL, arguments, &["needs Octopus 2026.1.10655"]).await;
}

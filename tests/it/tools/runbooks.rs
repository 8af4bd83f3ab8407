//! `find_runbooks`.

use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, column};

const TOOL: &str = "find_runbooks";

async fn find(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok(TOOL, arguments).await
}

async fn assert_rejected(server: &CheckedServer, mut arguments: Value, expected: &[&str]) {
    arguments["space"] = json!("Default");
    server.assert_error_contains(TOOL, arguments, expected).await;
}

#[tokio::test]
async fn lists_and_finds_runbooks_of_a_project() {
    let server = CheckedServer::start().await;
    for name in ["projectId", "projectName", "project"] {
        let all = find(&server, json!({ name: "parcel tracking api" })).await;
        assert_eq!(column(&all, "name"), ["Collect diagnostics", "Restart tracking workers"]);
    }
    let part = json!({ "projectId": "Projects-1", "partialName": "RESTART" });
    assert_eq!(column(&find(&server, part).await, "id"), ["Runbooks-1"]);
    let arguments = json!({ "projectId": "Projects-1", "runbookId": "Runbooks-1" });
    let one = find(&server, arguments).await;
    assert_eq!(one["projectName"], "Parcel Tracking API");
    assert_eq!(one["environments"][1], json!({ "id": "Environments-3", "name": "Production" }));
    assert_eq!(one["resourceUri"], "octopus://spaces/Default/runbooks/Runbooks-1");
    assert_eq!(one.get("gitRef"), None);
    let page = "/projects/parcel-tracking-api/operations/runbooks/Runbooks-1";
    assert!(one["url"].as_str().unwrap().ends_with(page));
    for (name, expected) in [
        ("runbookId", "restart tracking WORKERS"),
        ("runbookSlug", "restart-tracking-workers"),
        ("runbookName", "Restart tracking workers"),
        ("runbook", "RUNBOOKS-1"),
    ] {
        assert_eq!(find(&server, json!({ "projectId": "Projects-1", name: expected })).await, one);
        assert_eq!(
            find(&server, json!({ name: expected })).await,
            one,
            "found without the project argument"
        );
    }
    assert_snapshot(TOOL, &one);
}

#[tokio::test]
async fn lists_database_runbooks_of_a_space() {
    let server = CheckedServer::start().await;
    let all = find(&server, json!({})).await;
    assert_eq!(all["totalResults"], 5);
    assert!(column(&all, "projectName").contains(&"Customs Declarations"));
    let none = find(&server, json!({ "partialName": "zzz" })).await;
    let hint = none["hint"].as_str().unwrap();
    assert!(hint.contains("'zzz'") && hint.contains("`projectId`"), "{hint}");
    let page = find(&server, json!({ "take": 2, "skip": 1 })).await;
    assert_eq!((column(&page, "id").len(), &page["nextSkip"]), (2, &json!(3)));
}

#[tokio::test]
async fn reads_git_runbooks_at_a_reference() {
    let server = CheckedServer::start().await;
    let usual = find(&server, json!({ "projectId": "Route Planner" })).await;
    assert_eq!(column(&usual, "name"), ["Export fleet plans", "Rebuild route cache"]);
    assert_eq!(column(&usual, "gitRef"), ["refs/heads/main", "refs/heads/main"]);
    let branch = json!({ "projectId": "Route Planner", "gitRef": "feature/electric-vans" });
    assert_eq!(find(&server, branch).await["totalResults"], 3);
    let arguments = json!({ "projectId": "Projects-2", "gitRef": "refs/heads/feature/electric-vans",
        "runbookSlug": "recalibrate-charging-stops" });
    let one = find(&server, arguments.clone()).await;
    assert_eq!(
        one["resourceUri"],
        "octopus://spaces/Default/projects/route-planner/refs%2Fheads%2Ffeature%2Felectric-vans\
         /runbooks/recalibrate-charging-stops"
    );
    assert_eq!(one.get("publishedRunbookSnapshotId"), None);
    let mut by_name = arguments;
    by_name.as_object_mut().unwrap().remove("runbookSlug");
    by_name["runbookName"] = json!("Recalibrate charging stops");
    assert_eq!(find(&server, by_name).await, one);
    let empty = json!({ "projectId": "Route Planner", "partialName": "zzz" });
    let hint = find(&server, empty).await["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("'zzz'") && hint.contains("refs/heads/main"), "{hint}");
}

#[tokio::test]
async fn rejects_unknown_runbooks_and_contradictory_arguments() {
    let server = CheckedServer::start().await;
    let one = json!({ "runbookId": "Runbooks-1", "partialName": "x" });
    assert_rejected(&server, one, &["`runbookId` selects one", "`partialName`"]).await;
    assert_rejected(&server, json!({ "runbookId": "Runbooks-1", "take": 3 }), &["`take`"]).await;
    assert_rejected(&server, json!({ "gitRef": "main" }), &["`gitRef` requires `projectId`"]).await;
    assert_eq!(server.take_requests(), Vec::<String>::new());
    let database = json!({ "projectId": "Projects-1", "gitRef": "main" });
    assert_rejected(&server, database, &["of 'Parcel Tracking API' is stored in the database"])
        .await;
    let typo = json!({ "projectId": "Projects-1", "runbookId": "Restart tracking worker" });
    let expected =
        ["runbook 'Restart tracking worker' not found", "'Restart tracking workers'", TOOL];
    assert_rejected(&server, typo, &expected).await;
    let other = json!({ "projectId": "Projects-2", "runbookId": "recalibrate-charging-stops" });
    assert_rejected(&server, other, &["runbook 'recalibrate-charging-stops' not found"]).await;
    let branch = json!({ "projectId": "Projects-2", "gitRef": "feature/electric" });
    let expected =
        ["branch, tag or commit 'feature/electric' not found", "'feature/electric-vans'"];
    assert_rejected(&server, branch, &expected).await;
    let none = find(&server, json!({ "projectId": "Carrier Onboarding" })).await;
    assert!(none["hint"].as_str().unwrap().contains("'Carrier Onboarding' has no runbook"));
}

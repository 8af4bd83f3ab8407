//! `get_latest_deployment`.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, list_response};

async fn latest(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok("get_latest_deployment", arguments).await
}

#[tokio::test]
async fn returns_outcome_and_failures_of_latest_deployment() {
    let server = CheckedServer::start().await;
    let found = latest(&server, json!({ "projectId": "Parcel Tracking API" })).await;
    let deployment = &found["deployment"];
    assert_eq!(deployment["id"], "Deployments-9004");
    assert_eq!(deployment["releaseVersion"], "1.12.0");
    assert_eq!(deployment["environmentName"], "Staging");
    assert_eq!(deployment["taskState"], "Failed");
    let details = &found["taskDetails"];
    assert_eq!(details["task"]["id"], "ServerTasks-90004");
    assert_eq!(details["task"]["projectName"], "Parcel Tracking API");
    assert_eq!(details["failures"][0]["path"][1], "Step 2: Smoke test");
    assert!(details["failures"][0]["messages"].to_string().contains("error: 503"));
    assert_snapshot("get_latest_deployment", &found);
}

#[tokio::test]
async fn filters_by_environment_tenant_and_state() {
    let server = CheckedServer::start().await;
    for (arguments, id) in [
        (json!({ "project": "route-planner", "environment": "production" }), "Deployments-9009"),
        (json!({ "projectName": "ROUTE planner", "tenantName": "Tenants-1" }), "Deployments-9008"),
        (
            json!({ "projectId": "Projects-2", "environmentId": "Production", "tenantId": "northgate-parcels" }),
            "Deployments-9006",
        ),
        (
            json!({ "project": "Depot Portal", "environmentName": "Environments-3", "taskState": "Failed" }),
            "Deployments-9013",
        ),
    ] {
        assert_eq!(latest(&server, arguments.clone()).await["deployment"]["id"], id, "{arguments}");
    }
    let running = latest(&server, json!({ "project": "Driver App Backend" })).await;
    assert_eq!(running["taskDetails"]["progress"]["progressPercentage"], 48.0);
}

#[tokio::test]
async fn hints_why_there_is_no_deployment() {
    let server = CheckedServer::start().await;
    let never = latest(&server, json!({ "project": "Carrier Onboarding" })).await;
    assert_eq!(never["project"]["name"], "Carrier Onboarding");
    assert!(never.get("deployment").is_none());
    assert!(never["hint"].as_str().unwrap().contains("never deployed"));
    let arguments = json!({ "project": "Depot Portal", "taskState": "Cancelling" });
    let none = latest(&server, arguments).await;
    assert!(none["hint"].as_str().unwrap().contains("taskState"));
}

#[tokio::test]
async fn rejects_invalid_arguments() {
    let server = CheckedServer::start().await;
    let tool = "get_latest_deployment";
    server
        .assert_error_contains(tool, json!({ "space": "Default" }), &["projectId", "required"])
        .await;
    let expected = ["project 'Parcel' not found", "'Parcel Tracking API'", "list_projects"];
    server
        .assert_error_contains(tool, json!({ "space": "Default", "project": "Parcel" }), &expected)
        .await;
    let arguments =
        json!({ "space": "Default", "project": "Depot Portal", "environment": "Yard Test" });
    server
        .assert_error_contains(
            tool,
            arguments,
            &["environment 'Yard Test' not found", "list_environments"],
        )
        .await;
    let arguments = json!({ "space": "Default", "project": "Projects-41" });
    server
        .assert_error_contains(
            tool,
            arguments,
            &["project 'Projects-41' not found in space 'Default'"],
        )
        .await;
}

#[tokio::test]
async fn finds_newest_deployment_in_unsorted_lists() {
    let server = CheckedServer::start().await;
    let deployment = |id: &str, created: &str| {
        json!({
            "Id": id, "Created": created, "ReleaseId": "Releases-9002", "ProjectId": "Projects-1",
            "EnvironmentId": "Environments-2", "TaskId": "ServerTasks-90004",
        })
    };
    let unsorted = json!([
        deployment("Deployments-1", "2026-01-01T00:00:00.000+00:00"),
        deployment("Deployments-3", "2026-03-01T00:00:00.000+00:00"),
        deployment("Deployments-2", "2026-02-01T00:00:00.000+00:00"),
    ]);
    server.mock_response("/deployments", &list_response(&unsorted));
    let found = latest(&server, json!({ "project": "Projects-1" })).await;
    assert_eq!(found["deployment"]["id"], "Deployments-3");
}

#[tokio::test]
async fn shows_deployment_without_permission_to_view_tasks() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Default", "project": "Parcel Tracking API" });
    let called = server
        .server
        .call_as(keys::WITHOUT_TASK_VIEW, "get_latest_deployment", arguments.clone())
        .await;
    assert!(!called.is_error, "{}", called.text);
    assert_eq!(called.structured["deployment"]["releaseVersion"], "1.12.0");
    assert!(called.structured.get("taskDetails").is_none());
    assert!(called.structured["deployment"].get("taskState").is_none());
    server.server.sample.faults().add(Fault::on("/details").status(500));
    server.assert_error_contains("get_latest_deployment", arguments, &["500"]).await;
}

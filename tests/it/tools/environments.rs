//! Static, parent and ephemeral environments, in versions with and without `environments/v2`.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::checked_server::{CheckedServer, column, list_response};

async fn environments(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok("list_environments", arguments).await
}

fn v2_requests(server: &CheckedServer) -> usize {
    let sent = server.take_requests();
    sent.iter().filter(|path| path.contains("/environments/v2")).count()
}

#[tokio::test]
async fn lists_type_and_parent_of_environments() {
    let server = CheckedServer::start().await;
    let found = environments(&server, json!({})).await;
    let types = ["Static", "Static", "Static", "Static", "Parent", "Ephemeral"];
    assert_eq!(column(&found, "type"), types);
    let preview = &found["items"][5];
    assert_eq!(preview["parent"], json!({ "id": "Environments-40", "name": "Pull Requests" }));
    assert_eq!(preview.get("useGuidedFailure"), None);
    let found = environments(&server, json!({ "partialName": "pr-" })).await;
    assert_eq!(found["items"][0]["parent"]["name"], "Pull Requests", "{found}");
    assert_eq!(found["totalResults"], 1);
}

#[tokio::test]
async fn look_ups_find_ephemeral_environments() {
    let server = CheckedServer::start().await;
    for environments in [json!(["pr-482"]), json!(["Environments-41", "Environments-3"])] {
        let arguments = json!({ "space": "Default", "environments": environments, "take": 1 });
        server.call_ok("list_deployments", arguments).await;
    }
    for environment in ["pr-482", "environments-41", "PR-482"] {
        let arguments = json!({
            "space": "Default", "projectId": "Projects-1", "environmentId": environment,
        });
        let found = server.call_ok("get_latest_deployment", arguments).await;
        assert!(found["hint"].is_string(), "{environment}: {found}");
    }
    let arguments = json!({
        "space": "Default", "projectId": "Projects-1", "environmentId": "pr-483",
    });
    let expected = ["environment 'pr-483' not found", "'pr-482'"];
    server.assert_error_contains("get_latest_deployment", arguments, &expected).await;
}

#[tokio::test]
async fn access_of_ephemeral_environments_has_their_names() {
    let server = CheckedServer::start().await;
    let question = json!({
        "tool": "deploy_release", "space": "Default", "project": "Projects-1",
        "environment": "pr-482",
    });
    let called = server.server.call_as(keys::ADMIN, "explain_access", question).await;
    assert!(!called.is_error, "{}", called.text);
}

#[tokio::test]
async fn versions_without_v2_use_the_former_list() {
    for version in ["2021.1.0", "2023.4.8338"] {
        let server = CheckedServer::with_version(version).await;
        let found = environments(&server, json!({})).await;
        assert_eq!(column(&found, "type"), ["-"; 4], "{version}");
        assert_eq!(found["items"][3]["useGuidedFailure"], true, "{version}");
        assert_eq!(v2_requests(&server), 0, "{version}");
    }
}

#[tokio::test]
async fn missing_v2_is_remembered() {
    let server = CheckedServer::with_version("2024.1.1").await;
    for expected in [1, 0] {
        let arguments = json!({ "space": "Default" });
        let found = server.call_ok_once("list_environments", arguments).await;
        assert_eq!(column(&found, "name"), ["Development", "Test", "Staging", "Production"]);
        assert_eq!(v2_requests(&server), expected);
    }
}

/// Versions without the list look for an environment with the ID or slug "v2".
#[tokio::test]
async fn environment_with_slug_v2_is_not_taken_for_the_list() {
    let server = CheckedServer::with_version("2024.1.1").await;
    let named = json!({ "Id": "Environments-9", "Name": "v2", "Slug": "v2" });
    server.mock_response("/environments/v2", &named);
    let found = environments(&server, json!({})).await;
    assert_eq!(found["totalResults"], 4);
}

#[tokio::test]
async fn fields_missing_in_v2_come_from_the_former_list() {
    let server = CheckedServer::start().await;
    let common = |id: &str, name: &str, kind: &str| {
        json!({
            "Id": id, "Name": name, "Slug": "x", "SpaceId": "Spaces-1", "Description": null,
            "EnvironmentTags": [], "Type": kind,
        })
    };
    let all = json!([
        common("Environments-3", "Production", "Static"),
        common("Environments-40", "Pull Requests", "Parent"),
        common("Environments-41", "pr-482", "Ephemeral"),
    ]);
    server.mock_response("/environments/v2", &list_response(&all));
    let found = environments(&server, json!({})).await;
    assert_eq!(column(&found, "type"), ["Static", "Parent", "Ephemeral"]);
    let guided: Vec<Option<&Value>> =
        found["items"].as_array().unwrap().iter().map(|one| one.get("useGuidedFailure")).collect();
    assert_eq!(guided, [Some(&json!(true)), None, None]);
    assert_eq!(found["items"][0]["sortOrder"], 3);
}

#[tokio::test]
async fn failing_v2_does_not_hide_the_former_list() {
    let server = CheckedServer::start().await;
    let failing = Fault::on("/environments/v2").status(403).times(1);
    server.server.sample.faults().add(failing);
    let arguments = json!({ "space": "Default" });
    let found = server.call_ok_once("list_environments", arguments.clone()).await;
    assert_eq!(found["totalResults"], 4);
    let found = server.call_ok_once("list_environments", arguments).await;
    assert_eq!(found["totalResults"], 6, "a failure is not remembered");
}

//! `get_variables`.

use octopus_sample::keys;
use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot};

const TOOL: &str = "get_variables";

async fn read(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok(TOOL, arguments).await
}

async fn assert_rejected(server: &CheckedServer, mut arguments: Value, expected: &[&str]) {
    arguments["space"] = json!("Default");
    server.assert_error_contains(TOOL, arguments, expected).await;
}

fn project_variables(answer: &Value) -> &Vec<Value> {
    answer["variables"]["projectVariableSet"]["variables"].as_array().unwrap()
}

#[tokio::test]
async fn names_scopes_and_omits_sensitive_values() {
    let server = CheckedServer::start().await;
    let all = read(&server, json!({ "projectName": "parcel-tracking-api" })).await;
    let named = |name: &str| project_variables(&all).iter().find(|v| v["name"] == name).unwrap();
    let host = named("Database.Host");
    assert_eq!(host["scope"]["environment"][0]["name"], "Development");
    let password = named("Database.Password");
    assert_eq!((&password["isSensitive"], password.get("value")), (&json!(true), None));
    assert_eq!(named("Feature.ArrivalWindow")["scope"]["channel"][0]["name"], "Default");
    assert_eq!(named("Tls.Certificate")["scope"]["role"], json!([{ "id": "tracking-web" }]));
    assert_eq!(named("Smoke.Attempts")["scope"]["action"][0]["name"], "Smoke test");
    assert!(named("Restart.Timeout")["scope"]["processOwner"][0]["name"].is_string());
    assert_eq!(named("Deploy.Reason")["prompt"]["label"], "Reason");
    let library = &all["variables"]["libraryVariableSets"][0];
    assert_eq!(library["libraryVariableSet"]["id"], "LibraryVariableSets-1");
    assert_eq!(library["variableSet"]["variables"][0]["name"], "Shared.Tracking");
    let one = json!({ "projectId": "Projects-1", "name": "DATABASE.host" });
    let one = read(&server, one).await;
    assert_eq!(project_variables(&one).len(), 3);
    assert_eq!(one["variables"]["libraryVariableSets"], json!([]));
    assert_snapshot(TOOL, &one);
    let shared = read(&server, json!({ "projectId": "Projects-1", "name": "queue" })).await;
    assert_eq!(project_variables(&shared).len(), 0);
    assert_eq!(shared["variables"]["libraryVariableSets"].as_array().unwrap().len(), 1);
    let none = read(&server, json!({ "projectId": "Projects-1", "name": "zzz" })).await;
    assert!(none["hint"].as_str().unwrap().contains("'zzz'"));
}

#[tokio::test]
async fn redacts_a_password_in_a_plain_value() {
    let server = CheckedServer::start().await;
    let found = read(&server, json!({ "projectId": "Billing Engine", "name": "rates" })).await;
    let value = project_variables(&found)[0]["value"].as_str().unwrap();
    assert!(value.contains("redacted") && !value.contains("s3cr3t"), "{value}");
}

#[tokio::test]
async fn merges_git_variables_with_sensitive_database_variables() {
    let server = CheckedServer::start().await;
    let usual = read(&server, json!({ "projectId": "Route Planner" })).await;
    assert_eq!(usual["gitRef"], "refs/heads/main");
    let names: Vec<&str> =
        project_variables(&usual).iter().map(|v| v["name"].as_str().unwrap()).collect();
    for name in ["Planner.Threads", "Planner.MapServerKey", "Planner.SigningKey"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let arguments = json!({ "projectId": "Route Planner", "gitRef": "feature/electric-vans" });
    let changed = read(&server, arguments).await;
    assert_eq!(project_variables(&changed).len(), project_variables(&usual).len() + 1);
    let path = "/projects/Projects-2/refs%2Fheads%2Ffeature%2Felectric-vans/variables?";
    assert!(
        server.take_requests().iter().any(|request| request.ends_with(path)),
        "the reference is one encoded path segment"
    );
    let arguments = json!({ "projectId": "Route Planner", "gitRef": "feature/electric" });
    let expected =
        ["branch, tag or commit 'feature/electric' not found", "'feature/electric-vans'"];
    assert_rejected(&server, arguments, &expected).await;
    let arguments = json!({ "projectId": "Billing Engine", "gitRef": "main" });
    assert_rejected(
        &server,
        arguments,
        &["of 'Billing Engine' is stored in the database", "`gitRef`"],
    )
    .await;
    assert_rejected(&server, json!({ "projectId": "Projects-1", "name": " " }), &["name: "]).await;
}

#[tokio::test]
async fn returns_all_library_variable_sets() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "projectId": "Carrier Onboarding", "maxBytes": 100_000 });
    let all = read(&server, arguments).await;
    let sets = all["variables"]["libraryVariableSets"].as_array().unwrap();
    assert_eq!(sets.len(), 35);
    for (set, number) in sets.iter().zip(101..) {
        assert_eq!(set["libraryVariableSet"]["id"], format!("LibraryVariableSets-{number}"));
        assert!(set["variableSet"]["variables"].as_array().is_some_and(|all| !all.is_empty()));
    }
    assert_eq!(all.get("leftOut"), None);
}

#[tokio::test]
async fn unreadable_variable_sets_are_shown_by_id() {
    let server = CheckedServer::start().await;
    server.mock_response("/libraryvariablesets", &json!({ "TotalResults": 0, "Items": [] }));
    let all = read(&server, json!({ "projectId": "Projects-1" })).await;
    let sets = &all["variables"]["libraryVariableSets"];
    assert_eq!(sets, &json!([{ "libraryVariableSet": { "id": "LibraryVariableSets-1" } }]));
    let arguments = json!({ "space": "Default", "projectId": "Projects-1" });
    let called = server.server.call_as(keys::WITHOUT_VARIABLE_VIEW, TOOL, arguments).await;
    assert!(called.is_error && called.text.contains("VariableView"), "{}", called.text);
}

#[tokio::test]
async fn truncates_variables_and_hints_at_the_rest() {
    let server = CheckedServer::start().await;
    let key = "API-FAKEFAKEFAKEFAKEFAKEFAKE";
    let mut variables: Vec<Value> = (0..400)
        .map(|n| json!({ "Id": format!("{n}"), "Name": format!("Setting.{n:03}"), "Value": "x".repeat(40) }))
        .collect();
    // A secret that spans the truncation point.
    variables[0]["Value"] = json!(format!("{} {key} {}", "x".repeat(385), "y".repeat(2000)));
    let set =
        json!({ "Id": "variableset-Projects-6", "Variables": variables, "ScopeValues": null });
    server.mock_response("/variables/variableset-Projects-6", &set);
    let cut = read(&server, json!({ "projectId": "Projects-6" })).await;
    let how = cut["leftOut"].as_str().unwrap();
    assert!(how.contains(" of 400 variables, and ends of 1 values"), "{how}");
    assert!(how.contains("`name`") && how.contains("maxBytes"), "{how}");
    assert!(project_variables(&cut).len() > 50, "{}", project_variables(&cut).len());
    assert!(!cut.to_string().contains("FAKE"));
    assert_eq!(cut.get("truncated"), None);
    let one = read(&server, json!({ "projectId": "Projects-6", "name": "setting.399" })).await;
    assert_eq!(project_variables(&one).len(), 1);
    let arguments = json!({ "projectId": "Projects-6", "maxBytes": 100_000 });
    assert_eq!(project_variables(&read(&server, arguments).await).len(), 400);
}

#[tokio::test]
async fn reads_projects_without_a_variable_set_id() {
    let server = CheckedServer::start().await;
    let project =
        json!({ "Id": "Projects-6", "Name": "Old", "IncludedLibraryVariableSetIds": null });
    let set = json!({ "Id": "variableset-Projects-6", "Variables": null });
    server.mock_response("/projects/Projects-6/variables", &set);
    server.mock_response("/projects", &json!({ "TotalResults": 1, "Items": [project] }));
    let found = read(&server, json!({ "projectId": "Old" })).await;
    assert!(found["hint"].as_str().unwrap().contains("no variable"), "{found}");
}

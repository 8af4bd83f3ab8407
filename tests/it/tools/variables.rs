//! `get_variables`.

use octopus_sample::keys;
use serde_json::{Value, json};

use super::held::{Held, snapshot};

const TOOL: &str = "get_variables";

async fn read(server: &Held, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.answer(TOOL, arguments).await
}

async fn refused(server: &Held, mut arguments: Value, words: &[&str]) {
    arguments["space"] = json!("Default");
    server.refuses(TOOL, arguments, words).await;
}

fn own(answer: &Value) -> &Vec<Value> {
    answer["variables"]["projectVariableSet"]["variables"].as_array().unwrap()
}

#[tokio::test]
async fn scopes_have_names_and_secrets_have_no_value() {
    let server = Held::start().await;
    let all = read(&server, json!({ "projectName": "parcel-tracking-api" })).await;
    let named = |name: &str| own(&all).iter().find(|v| v["name"] == name).unwrap();
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
    assert_eq!(own(&one).len(), 3);
    assert_eq!(one["variables"]["libraryVariableSets"], json!([]));
    snapshot(TOOL, &one);
    let shared = read(&server, json!({ "projectId": "Projects-1", "name": "queue" })).await;
    assert_eq!(own(&shared).len(), 0);
    assert_eq!(shared["variables"]["libraryVariableSets"].as_array().unwrap().len(), 1);
    let none = read(&server, json!({ "projectId": "Projects-1", "name": "zzz" })).await;
    assert!(none["hint"].as_str().unwrap().contains("'zzz'"));
}

#[tokio::test]
async fn a_password_in_a_plain_value_is_redacted() {
    let server = Held::start().await;
    let found = read(&server, json!({ "projectId": "Billing Engine", "name": "rates" })).await;
    let value = own(&found)[0]["value"].as_str().unwrap();
    assert!(value.contains("redacted") && !value.contains("s3cr3t"), "{value}");
}

#[tokio::test]
async fn variables_in_git_come_with_the_secret_ones_of_the_database() {
    let server = Held::start().await;
    let usual = read(&server, json!({ "projectId": "Route Planner" })).await;
    assert_eq!(usual["gitRef"], "refs/heads/main");
    let names: Vec<&str> = own(&usual).iter().map(|v| v["name"].as_str().unwrap()).collect();
    for name in ["Planner.Threads", "Planner.MapServerKey", "Planner.SigningKey"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let arguments = json!({ "projectId": "Route Planner", "gitRef": "feature/electric-vans" });
    let changed = read(&server, arguments).await;
    assert_eq!(own(&changed).len(), own(&usual).len() + 1);
    let path = "/projects/Projects-2/refs%2Fheads%2Ffeature%2Felectric-vans/variables?";
    assert!(
        server.requests().iter().any(|asked| asked.ends_with(path)),
        "the reference is one encoded path segment"
    );
    let arguments = json!({ "projectId": "Route Planner", "gitRef": "feature/electric" });
    let words = ["branch, tag or commit 'feature/electric' not found", "'feature/electric-vans'"];
    refused(&server, arguments, &words).await;
    let arguments = json!({ "projectId": "Billing Engine", "gitRef": "main" });
    refused(&server, arguments, &["of 'Billing Engine' is stored in the database", "`gitRef`"])
        .await;
    refused(&server, json!({ "projectId": "Projects-1", "name": " " }), &["name: "]).await;
}

#[tokio::test]
async fn every_library_variable_set_comes_however_many() {
    let server = Held::start().await;
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
async fn sets_that_the_caller_may_not_see_are_told_by_their_ids() {
    let server = Held::start().await;
    server.says("/libraryvariablesets", &json!({ "TotalResults": 0, "Items": [] }));
    let all = read(&server, json!({ "projectId": "Projects-1" })).await;
    let sets = &all["variables"]["libraryVariableSets"];
    assert_eq!(sets, &json!([{ "libraryVariableSet": { "id": "LibraryVariableSets-1" } }]));
    let arguments = json!({ "space": "Default", "projectId": "Projects-1" });
    let called = server.server.call_as(keys::WITHOUT_VARIABLE_VIEW, TOOL, arguments).await;
    assert!(called.is_error && called.text.contains("VariableView"), "{}", called.text);
}

#[tokio::test]
async fn many_and_long_variables_are_cut_and_the_rest_can_be_asked_for() {
    let server = Held::start().await;
    let key = "API-FAKEFAKEFAKEFAKEFAKEFAKE";
    let mut variables: Vec<Value> = (0..400)
        .map(|n| json!({ "Id": format!("{n}"), "Name": format!("Setting.{n:03}"), "Value": "x".repeat(40) }))
        .collect();
    // A secret that spans the truncation point.
    variables[0]["Value"] = json!(format!("{} {key} {}", "x".repeat(385), "y".repeat(2000)));
    let set =
        json!({ "Id": "variableset-Projects-6", "Variables": variables, "ScopeValues": null });
    server.says("/variables/variableset-Projects-6", &set);
    let cut = read(&server, json!({ "projectId": "Projects-6" })).await;
    let how = cut["leftOut"].as_str().unwrap();
    assert!(how.contains(" of 400 variables, and ends of 1 values"), "{how}");
    assert!(how.contains("`name`") && how.contains("maxBytes"), "{how}");
    assert!(own(&cut).len() > 50, "{}", own(&cut).len());
    assert!(!cut.to_string().contains("FAKE"));
    assert_eq!(cut.get("truncated"), None);
    let one = read(&server, json!({ "projectId": "Projects-6", "name": "setting.399" })).await;
    assert_eq!(own(&one).len(), 1);
    let arguments = json!({ "projectId": "Projects-6", "maxBytes": 100_000 });
    assert_eq!(own(&read(&server, arguments).await).len(), 400);
}

#[tokio::test]
async fn an_old_project_without_the_id_of_its_set_is_read() {
    let server = Held::start().await;
    let project =
        json!({ "Id": "Projects-6", "Name": "Old", "IncludedLibraryVariableSetIds": null });
    let set = json!({ "Id": "variableset-Projects-6", "Variables": null });
    server.says("/projects/Projects-6/variables", &set);
    server.says("/projects", &json!({ "TotalResults": 1, "Items": [project] }));
    let found = read(&server, json!({ "projectId": "Old" })).await;
    assert!(found["hint"].as_str().unwrap().contains("no variable"), "{found}");
}

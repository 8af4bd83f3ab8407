//! Resources that rules deny to read are neither listed nor offered as completions.

use serde_json::{Value, json};

use super::rules;
use crate::support::{ERAS, Era, TestServer};

async fn server(list: Value) -> TestServer {
    TestServer::with(|config| rules(config, &list)).await
}

fn secret(matcher: &str, name: &str) -> Value {
    json!([{ "name": "secret", "effect": "deny", "tiers": ["read"], matcher: [name] }])
}

/// Returns the completions of an argument of a prompt, or of a variable of a template.
async fn completed(server: &TestServer, of: &str, argument: &str, given: Value) -> Vec<String> {
    let is_template = of.starts_with("octopus://");
    let reference = if is_template {
        json!({ "type": "ref/resource", "uri": of })
    } else {
        json!({ "type": "ref/prompt", "name": of })
    };
    let params = json!({
        "ref": reference,
        "argument": { "name": argument, "value": "" },
        "context": { "arguments": given },
    });
    let reply = server.ask(Era::Modern, "completion/complete", params).await.json();
    let values = reply["result"]["completion"]["values"].as_array();
    let values = values.unwrap_or_else(|| panic!("{reply}"));
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

const PROMPT: &str = "diagnose_failed_deployment";
const RELEASE: &str = "octopus://spaces/{spaceName}/releases/{releaseId}";
const TASK: &str = "octopus://spaces/{spaceName}/tasks/{taskId}";

fn has(values: &[String], name: &str) -> bool {
    values.iter().any(|value| value == name)
}

#[tokio::test]
async fn what_a_rule_denies_reading_is_not_completed_and_the_rest_is() {
    let open = server(json!([])).await;
    for (matcher, name, of, argument, denied, kept) in [
        ("spaces", "Warehouse*", PROMPT, "space", "Warehouse Systems", Some("Default")),
        ("spaces", "default", PROMPT, "project", "Parcel Tracking API", None),
        (
            "projects",
            "Parcel*",
            PROMPT,
            "project",
            "Parcel Tracking API",
            Some("Driver App Backend"),
        ),
        ("environments", "prod*", PROMPT, "environment", "Production", Some("Staging")),
        (
            "projects",
            "Parcel Tracking API",
            RELEASE,
            "releaseId",
            "Releases-9001",
            Some("Releases-9007"),
        ),
        (
            "projects",
            "Parcel Tracking API",
            TASK,
            "taskId",
            "ServerTasks-90001",
            Some("ServerTasks-90008"),
        ),
        ("tenants", "Brightwater*", TASK, "taskId", "ServerTasks-90008", None),
    ] {
        let key = if of == PROMPT { "space" } else { "spaceName" };
        let given = json!({ key: "Default" });
        let all = completed(&open, of, argument, given.clone()).await;
        assert!(has(&all, denied), "{matcher} {argument}: {all:?}");
        assert!(kept.is_none_or(|kept| has(&all, kept)), "{matcher} {argument}: {all:?}");
        let server = server(secret(matcher, name)).await;
        let values = completed(&server, of, argument, given).await;
        assert!(!has(&values, denied), "{matcher} {argument}: {values:?}");
        assert!(kept.is_none_or(|kept| has(&values, kept)), "{matcher} {argument}: {values:?}");
    }
}

#[tokio::test]
async fn completions_of_a_denied_project_are_empty_and_no_error() {
    let server = server(secret("projects", "Parcel Tracking API")).await;
    for (project, is_empty) in [("Parcel Tracking API", true), ("Projects-4", false)] {
        let given = json!({ "space": "Default", "project": project });
        for argument in ["from", "to"] {
            let values = completed(&server, "release_notes_between", argument, given.clone()).await;
            assert_eq!(values.is_empty(), is_empty, "{project} {argument}: {values:?}");
        }
    }
}

#[tokio::test]
async fn rules_about_one_tool_bind_what_it_reads() {
    let list = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "tools": ["read_resource"], "spaces": ["Warehouse Systems"] }]);
    let server = server(list).await;
    let spaces = completed(&server, RELEASE, "spaceName", json!({})).await;
    assert!(!has(&spaces, "Warehouse Systems") && has(&spaces, "Default"), "{spaces:?}");
    let spaces = completed(&server, PROMPT, "space", json!({})).await;
    assert!(has(&spaces, "Warehouse Systems"), "{spaces:?}");
}

#[tokio::test]
async fn what_a_rule_denies_reading_is_not_listed_as_a_resource() {
    let everything = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "tools": ["read_resource"] }]);
    for (list, shown, hidden) in [
        (json!([]), &["octopus://api", "octopus://spaces/Warehouse", "{taskId}"][..], &[][..]),
        (
            secret("spaces", "Warehouse Systems"),
            &["octopus://api", "octopus://spaces/Default", "{taskId}"],
            &["octopus://spaces/Warehouse"],
        ),
        (everything, &[], &["octopus://"]),
    ] {
        let server = server(list).await;
        for era in ERAS {
            let listed = server.ask(era, "resources/list", json!({})).await;
            let templates = server.ask(era, "resources/templates/list", json!({})).await;
            assert!(listed.json()["result"]["resources"].is_array(), "{}", listed.text);
            let all = format!("{}{}", listed.text, templates.text);
            assert!(shown.iter().all(|uri| all.contains(uri)), "{shown:?}: {all}");
            assert!(!hidden.iter().any(|uri| all.contains(uri)), "{hidden:?}: {all}");
        }
    }
}

/// Without rules about reads a completion sends no additional requests.
#[tokio::test]
async fn rules_about_changes_cost_completions_nothing() {
    let mut counts = Vec::new();
    for list in
        [json!([]), json!([{ "name": "r", "effect": "deny", "environments": ["Production"] }])]
    {
        let server = server(list).await;
        server.sample.clear_journal();
        completed(&server, PROMPT, "project", json!({ "space": "Default" })).await;
        counts.push(server.sample.journal().len());
    }
    assert_eq!(counts[0], counts[1]);
}

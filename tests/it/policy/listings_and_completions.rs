//! Resources that rules deny to read are neither listed nor offered as completions.

use serde_json::{Value, json};

use super::set_rules;
use crate::support::{ERAS, Era, TestServer};

async fn server(list: Value) -> TestServer {
    TestServer::with(|config| set_rules(config, &list)).await
}

fn read_rule(matcher: &str, name: &str) -> Value {
    json!([{ "name": "secret", "effect": "deny", "tiers": ["read"], matcher: [name] }])
}

/// Returns the completions of an argument of a prompt, or of a variable of a template.
async fn complete(server: &TestServer, of: &str, argument: &str, given: Value) -> Vec<String> {
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
    let reply = server.rpc(Era::Modern, "completion/complete", params).await.json();
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
async fn completions_omit_denied_values() {
    let open = server(json!([])).await;
    for (matcher, name, of, argument, denied, visible) in [
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
        let all = complete(&open, of, argument, given.clone()).await;
        assert!(has(&all, denied), "{matcher} {argument}: {all:?}");
        assert!(visible.is_none_or(|visible| has(&all, visible)), "{matcher} {argument}: {all:?}");
        let server = server(read_rule(matcher, name)).await;
        let values = complete(&server, of, argument, given).await;
        assert!(!has(&values, denied), "{matcher} {argument}: {values:?}");
        assert!(
            visible.is_none_or(|visible| has(&values, visible)),
            "{matcher} {argument}: {values:?}"
        );
    }
}

#[tokio::test]
async fn completions_of_a_denied_project_are_empty() {
    let server = server(read_rule("projects", "Parcel Tracking API")).await;
    for (project, is_empty) in [("Parcel Tracking API", true), ("Projects-4", false)] {
        let given = json!({ "space": "Default", "project": project });
        for argument in ["from", "to"] {
            let values = complete(&server, "release_notes_between", argument, given.clone()).await;
            assert_eq!(values.is_empty(), is_empty, "{project} {argument}: {values:?}");
        }
    }
}

#[tokio::test]
async fn rules_about_one_tool_apply_to_its_reads() {
    let list = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "tools": ["read_resource"], "spaces": ["Warehouse Systems"] }]);
    let server = server(list).await;
    let spaces = complete(&server, RELEASE, "spaceName", json!({})).await;
    assert!(!has(&spaces, "Warehouse Systems") && has(&spaces, "Default"), "{spaces:?}");
    let spaces = complete(&server, PROMPT, "space", json!({})).await;
    assert!(has(&spaces, "Warehouse Systems"), "{spaces:?}");
}

#[tokio::test]
async fn resource_lists_omit_denied_resources() {
    let everything = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "tools": ["read_resource"] }]);
    for (list, included, hidden) in [
        (json!([]), &["octopus://api", "octopus://spaces/Warehouse", "{taskId}"][..], &[][..]),
        (
            read_rule("spaces", "Warehouse Systems"),
            &["octopus://api", "octopus://spaces/Default", "{taskId}"],
            &["octopus://spaces/Warehouse"],
        ),
        (everything, &[], &["octopus://"]),
    ] {
        let server = server(list).await;
        for era in ERAS {
            let listed = server.rpc(era, "resources/list", json!({})).await;
            let templates = server.rpc(era, "resources/templates/list", json!({})).await;
            assert!(listed.json()["result"]["resources"].is_array(), "{}", listed.text);
            let all = format!("{}{}", listed.text, templates.text);
            assert!(included.iter().all(|uri| all.contains(uri)), "{included:?}: {all}");
            assert!(!hidden.iter().any(|uri| all.contains(uri)), "{hidden:?}: {all}");
        }
    }
}

/// Without rules about reads a completion sends no additional requests.
#[tokio::test]
async fn write_rules_add_no_requests_to_completions() {
    let mut counts = Vec::new();
    for list in
        [json!([]), json!([{ "name": "r", "effect": "deny", "environments": ["Production"] }])]
    {
        let server = server(list).await;
        server.sample.clear_journal();
        complete(&server, PROMPT, "project", json!({ "space": "Default" })).await;
        counts.push(server.sample.journal().len());
    }
    assert_eq!(counts[0], counts[1]);
}

//! Reads that reach a denied environment without naming it: logs of tasks without targets, variable
//! values, events by group, and change previews.

use serde_json::{Value, json};

use super::{CODE, desk};

fn production() -> Value {
    json!([{ "name": "secret", "effect": "deny", "tiers": ["read"], "environments": ["Production"] }])
}

fn get(path: &str, query: &Value) -> Value {
    json!({ "method": "GET", "path": path, "query": query })
}

/// Returns the reads of a task; one shows the lines of its log that match a pattern.
fn reads_of(task: &str, pattern: &str) -> [(&'static str, Value); 8] {
    let typed = json!({ "space": "Default", "taskId": task });
    let path = format!("/api/Spaces-1/tasks/{task}");
    let all = json!({});
    [
        ("execute", get(&format!("{path}/raw"), &all)),
        ("execute", get(&format!("{path}/details"), &all)),
        ("execute", get(&path, &all)),
        ("execute", get("/api/Spaces-1/tasks", &json!({ "ids": task }))),
        ("get_task_raw", typed.clone()),
        ("get_task_details", typed.clone()),
        ("get_task_by_id", typed),
        ("grep_task_log", json!({ "space": "Default", "taskId": task, "pattern": pattern })),
    ]
}

/// ServerTasks-90203 checks the health of all targets and names neither environment nor machine.
#[tokio::test]
async fn a_task_that_names_no_target_may_reach_a_denied_environment() {
    let desk = desk(production()).await;
    let task = "ServerTasks-90203";
    for (tool, arguments) in reads_of(task, ".") {
        desk.call(CODE, tool, &arguments).await.refused("rule 'secret'");
    }
}

/// ServerTasks-90207 checks the health of machines, two of which are in Production. The task names
/// no environment.
#[tokio::test]
async fn a_task_that_names_a_machine_reaches_the_environment_of_the_machine() {
    let task = "ServerTasks-90207";
    let denying = desk(production()).await;
    let test = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "environments": ["Test"] }]);
    let open = desk(test).await;
    for (tool, arguments) in reads_of(task, "trk") {
        denying.call(CODE, tool, &arguments).await.refused("rule 'secret'");
        let answer = open.call(CODE, tool, &arguments).await.answered().to_string();
        let shows_log = tool != "get_task_by_id" && arguments["path"].is_null();
        assert!(!shows_log || answer.contains("trk-prd-01"), "{tool}: {answer}");
    }
}

/// Parcel Tracking API has a value of `Database.Host` for Staging and one for Production.
#[tokio::test]
async fn values_scoped_to_a_denied_environment_are_not_shown() {
    let desk = desk(production()).await;
    for path in [
        "/api/Spaces-1/projects/Projects-1/variables",
        "/api/Spaces-1/variables/variableset-Projects-1",
    ] {
        desk.call(CODE, "execute", &get(path, &json!({}))).await.refused("scoped to");
    }
    let arguments = json!({ "space": "Default", "projectId": "Projects-1", "name": "Database" });
    let answer = desk.call(CODE, "get_variables", &arguments).await.answered().to_string();
    assert!(answer.contains("\"trk-db-stg\"") && !answer.contains("\"trk-db\""), "{answer}");
    assert!(answer.contains("the policy denies"), "{answer}");
}

#[tokio::test]
async fn events_by_group_or_of_unknown_documents_may_be_of_a_denied_project() {
    let rule = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "projects": ["Parcel Tracking API"] }]);
    let desk = desk(rule).await;
    for call in [
        json!({ "space": "Default", "projectGroups": ["Customer Platform"] }),
        json!({ "space": "Default", "regarding": ["ProjectTriggers-5"] }),
        json!({ "space": "Default", "regardingAny": ["ProjectTriggers-5"] }),
    ] {
        desk.call(CODE, "find_events", &call).await.refused("rule 'secret'");
    }
}

/// A rule about reads also covers the data that a change would show: its preview, and the document
/// that it changes.
#[tokio::test]
async fn a_change_shows_nothing_that_may_not_be_read() {
    let desk = desk(production()).await;
    for (method, path, body) in [
        (
            "POST",
            "/api/Spaces-1/releases/Releases-9001/deployments/previews",
            json!({ "DeploymentPreviews": [{ "EnvironmentId": "Environments-3" }] }),
        ),
        ("POST", "/api/Spaces-1/projects/Projects-4/deploymentprocesses/validate", json!({})),
        ("PUT", "/api/Spaces-1/environments/Environments-3", json!({ "Name": "x" })),
    ] {
        let call = json!({ "method": method, "path": path, "body": body });
        desk.call(CODE, "execute", &call).await.refused("rule 'secret'");
    }
    assert_eq!(desk.changes(), []);
}

//! Reads that reach a denied environment without naming it: logs of tasks without targets, variable
//! values, events by group, and change previews.

use serde_json::{Value, json};

use super::{CODE_FLOW, policy_fixture};

fn production_rule() -> Value {
    json!([{ "name": "secret", "effect": "deny", "tiers": ["read"], "environments": ["Production"] }])
}

fn get(path: &str, query: &Value) -> Value {
    json!({ "method": "GET", "path": path, "query": query })
}

/// Returns the reads of a task; one shows the lines of its log that match a pattern.
fn reads_of_task(task: &str, pattern: &str) -> [(&'static str, Value); 8] {
    let by_task_id = json!({ "space": "Default", "taskId": task });
    let path = format!("/api/Spaces-1/tasks/{task}");
    let all = json!({});
    [
        ("execute", get(&format!("{path}/raw"), &all)),
        ("execute", get(&format!("{path}/details"), &all)),
        ("execute", get(&path, &all)),
        ("execute", get("/api/Spaces-1/tasks", &json!({ "ids": task }))),
        ("get_task_raw", by_task_id.clone()),
        ("get_task_details", by_task_id.clone()),
        ("get_task_by_id", by_task_id),
        ("grep_task_log", json!({ "space": "Default", "taskId": task, "pattern": pattern })),
    ]
}

/// ServerTasks-90203 checks the health of all targets and names neither environment nor machine.
#[tokio::test]
async fn rejects_tasks_without_targets() {
    let fixture = policy_fixture(production_rule()).await;
    let task = "ServerTasks-90203";
    for (tool, arguments) in reads_of_task(task, ".") {
        fixture.call(CODE_FLOW, tool, &arguments).await.expect_error("rule 'secret'");
    }
}

/// ServerTasks-90207 checks the health of machines, two of which are in Production. The task names
/// no environment.
#[tokio::test]
async fn task_targets_resolve_to_their_environments() {
    let task = "ServerTasks-90207";
    let denying = policy_fixture(production_rule()).await;
    let test = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "environments": ["Test"] }]);
    let open = policy_fixture(test).await;
    for (tool, arguments) in reads_of_task(task, "trk") {
        denying.call(CODE_FLOW, tool, &arguments).await.expect_error("rule 'secret'");
        let answer = open.call(CODE_FLOW, tool, &arguments).await.expect_result().to_string();
        let shows_log = tool != "get_task_by_id" && arguments["path"].is_null();
        assert!(!shows_log || answer.contains("trk-prd-01"), "{tool}: {answer}");
    }
}

/// Parcel Tracking API has a value of `Database.Host` for Staging and one for Production.
#[tokio::test]
async fn omits_values_scoped_to_a_denied_environment() {
    let fixture = policy_fixture(production_rule()).await;
    for path in [
        "/api/Spaces-1/projects/Projects-1/variables",
        "/api/Spaces-1/variables/variableset-Projects-1",
    ] {
        fixture.call(CODE_FLOW, "execute", &get(path, &json!({}))).await.expect_error("scoped to");
    }
    let arguments = json!({ "space": "Default", "projectId": "Projects-1", "name": "Database" });
    let answer =
        fixture.call(CODE_FLOW, "get_variables", &arguments).await.expect_result().to_string();
    assert!(answer.contains("\"trk-db-stg\"") && !answer.contains("\"trk-db\""), "{answer}");
    assert!(answer.contains("the policy denies"), "{answer}");
}

#[tokio::test]
async fn rejects_events_that_may_concern_a_denied_project() {
    let rule = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "projects": ["Parcel Tracking API"] }]);
    let fixture = policy_fixture(rule).await;
    for call in [
        json!({ "space": "Default", "projectGroups": ["Customer Platform"] }),
        json!({ "space": "Default", "regarding": ["ProjectTriggers-5"] }),
        json!({ "space": "Default", "regardingAny": ["ProjectTriggers-5"] }),
    ] {
        fixture.call(CODE_FLOW, "find_events", &call).await.expect_error("rule 'secret'");
    }
}

/// A rule about reads also covers the data that a change would show: its preview, and the document
/// that it changes.
#[tokio::test]
async fn change_previews_show_no_unreadable_data() {
    let fixture = policy_fixture(production_rule()).await;
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
        fixture.call(CODE_FLOW, "execute", &call).await.expect_error("rule 'secret'");
    }
    assert_eq!(fixture.sent_changes(), []);
}

//! Argument errors that all tools share, and argument forms that lead to the same answer.

use octopus_mcp::{app, config::Config};
use serde_json::{Value, json};

use super::checked_server::CheckedServer;
use crate::support::OCTOPUS_PLACEHOLDER;

/// Returns one valid call of each tool.
pub fn sample_calls() -> Vec<(&'static str, Value)> {
    vec![
        ("list_spaces", json!({})),
        ("list_environments", json!({ "space": "Default" })),
        ("explain_access", json!({ "tool": "deploy_release", "spaceName": "Default" })),
        ("read_resource", json!({ "uri": "octopus://spaces/Default/tasks/ServerTasks-90004" })),
        ("grep_llms_txt", json!({ "pattern": "API" })),
        ("execute", json!({ "method": "GET", "path": "/api/Spaces-1/environments" })),
        ("list_projects", json!({ "space": "Default" })),
        (
            "get_deployment_process",
            json!({ "space": "Default", "projectId": "Route Planner", "includeDetails": true }),
        ),
        ("get_variables", json!({ "space": "Default", "projectId": "Route Planner" })),
        ("list_deployments", json!({ "space": "Default" })),
        (
            "get_latest_deployment",
            json!({ "space": "Default", "projectId": "Parcel Tracking API" }),
        ),
        ("get_release_by_id", json!({ "space": "Default", "releaseId": "Releases-9003" })),
        ("list_releases", json!({ "space": "Default" })),
        ("list_releases_for_project", json!({ "space": "Default", "projectId": "Route Planner" })),
        ("get_task_by_id", json!({ "space": "Default", "taskId": "ServerTasks-90004" })),
        ("get_task_details", json!({ "space": "Default", "taskId": "ServerTasks-90004" })),
        ("get_task_raw", json!({ "space": "Default", "taskId": "ServerTasks-90004" })),
        (
            "grep_task_log",
            json!({ "space": "Default", "taskId": "ServerTasks-90004", "pattern": "Failed", "beforeContext": 1, "afterContext": 1 }),
        ),
        ("find_runbooks", json!({ "space": "Default", "projectId": "Route Planner" })),
        ("list_tenants", json!({ "space": "Default" })),
        ("get_tenant_by_id", json!({ "space": "Default", "tenantId": "Tenants-5" })),
        (
            "get_tenant_variables",
            json!({ "space": "Default", "tenantId": "Tenants-1", "variableType": "all", "includeMissingVariables": true }),
        ),
        ("get_missing_tenant_variables", json!({ "space": "Default", "includeDetails": true })),
        (
            "get_task_from_url",
            json!({ "url": format!("{OCTOPUS_PLACEHOLDER}/app#/Spaces-1/tasks/ServerTasks-90004") }),
        ),
        (
            "get_deployment_from_url",
            json!({ "url": format!("{OCTOPUS_PLACEHOLDER}/app#/Spaces-1/deployments/Deployments-9004") }),
        ),
        ("get_current_user", json!({})),
        ("get_branches", json!({ "space": "Default", "projectId": "Route Planner" })),
        (
            "get_kubernetes_live_status",
            json!({ "space": "Default", "projectId": "Driver App Backend", "environmentId": "Production", "tenantId": "Tenants-1" }),
        ),
        ("find_deployment_targets", json!({ "space": "Default" })),
        ("find_certificates", json!({ "space": "Default" })),
        ("find_accounts", json!({ "space": "Default" })),
        ("find_interruptions", json!({ "space": "Default" })),
        ("find_feature_toggles", json!({ "space": "Default", "projectId": "Projects-1" })),
        ("find_events", json!({ "space": "Default" })),
    ]
}

fn with_argument(arguments: &Value, name: &str, value: Value) -> Value {
    let mut arguments = arguments.clone();
    arguments[name] = value;
    arguments
}

#[tokio::test]
async fn every_tool_answer_passes_the_common_checks() {
    let server = CheckedServer::start().await;
    let calls = sample_calls();
    let config = Config::default();
    let (catalog, policy) = (app::catalog(), app::tool_access(&config).unwrap());
    for entry in catalog.visible(&policy) {
        let name = entry.metadata.name;
        assert!(calls.iter().any(|(tool, _)| *tool == name), "{name} has no call");
    }
    for (tool, arguments) in calls {
        let answer = server.call_ok(tool, arguments.clone()).await;
        let nulls = with_argument(&arguments, "tenantId", arguments["tenantId"].clone());
        if arguments.get("tenantId").is_some() {
            assert_eq!(server.call_ok(tool, nulls).await, answer);
        }
        if arguments.get("space").is_some() {
            let with_null = with_argument(&arguments, "spaceName", Value::Null);
            assert_eq!(
                server.call_ok(tool, with_null).await,
                answer,
                "{tool}: null counts as an omitted argument"
            );
        }
    }
}

#[tokio::test]
async fn unknown_argument_error_suggests_nearest_name() {
    let server = CheckedServer::start().await;
    for (tool, arguments) in sample_calls() {
        let expected = ["unknown argument `frobnicate`", "Accepted: "];
        server
            .assert_error_contains(
                tool,
                with_argument(&arguments, "frobnicate", json!(1)),
                &expected,
            )
            .await;
    }
    for (tool, wrong, near) in [
        ("list_projects", "partialname", "did you mean `partialName`"),
        ("list_deployments", "project", "did you mean `projects`"),
        ("list_deployments", "taskStates", "did you mean `taskState`"),
        ("get_task_raw", "onlyProblem", "did you mean `onlyProblems`"),
        ("list_tenants", "tag", "did you mean `tags`"),
        ("grep_task_log", "ignoreCase", "Accepted: "),
        ("grep_task_log", "maxcount", "did you mean `maxCount`"),
    ] {
        let arguments = json!({ "space": "Default", wrong: "x" });
        server.assert_error_contains(tool, arguments, &[wrong, near]).await;
    }
}

#[tokio::test]
async fn wrong_type_error_names_the_argument() {
    let server = CheckedServer::start().await;
    for (tool, arguments) in sample_calls() {
        if arguments.get("space").is_some() {
            server
                .assert_error_contains(
                    tool,
                    with_argument(&arguments, "space", json!(1)),
                    &["space: "],
                )
                .await;
        }
    }
    for (tool, name, value) in [
        ("list_projects", "take", json!("5")),
        ("list_projects", "skip", json!(-1)),
        ("list_projects", "take", json!(1.5)),
        ("list_deployments", "projects", json!([1])),
        ("list_deployments", "projects", json!({ "a": 1 })),
        ("list_deployments", "taskState", json!(true)),
        ("list_tenants", "partialName", json!(["x"])),
        ("get_missing_tenant_variables", "includeDetails", json!("yes")),
        ("grep_task_log", "fixedString", json!("yes")),
        ("grep_task_log", "afterContext", json!(-1)),
    ] {
        let expected = [format!("{name}: ")];
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        server
            .assert_error_contains(tool, json!({ "space": "Default", name: value }), &expected)
            .await;
    }
}

#[tokio::test]
async fn lists_accept_take_between_one_and_maximum() {
    let server = CheckedServer::start().await;
    for (tool, arguments) in sample_calls() {
        if !tool.starts_with("list_")
            && !tool.ends_with("tenant_variables")
            && !["get_branches", "find_runbooks"].contains(&tool)
        {
            continue;
        }
        server
            .assert_error_contains(
                tool,
                with_argument(&arguments, "take", json!(0)),
                &["take: must be at least 1"],
            )
            .await;
        let capped = server.call_ok(tool, with_argument(&arguments, "take", json!(100_000))).await;
        assert_eq!(capped["take"], 100, "{tool}");
        let one = server.call_ok(tool, with_argument(&arguments, "take", json!(1))).await;
        assert_eq!(one["skip"], 0, "{tool}");
        if one["totalResults"].as_u64().unwrap() > 1 {
            assert_eq!(one["nextSkip"], 1, "{tool}");
        }
    }
}

#[tokio::test]
async fn rejects_empty_filter_lists() {
    let server = CheckedServer::start().await;
    for name in ["projects", "environments", "tenants", "channels"] {
        for empty in [json!([]), json!([""]), json!(" ")] {
            let arguments = json!({ "space": "Default", name: empty });
            server
                .assert_error_contains(
                    "list_deployments",
                    arguments,
                    &[name, "leave the argument out"],
                )
                .await;
        }
    }
}

//! `get_task_from_url` and `get_deployment_from_url`.

use octopus_sample::Sample;
use serde_json::{Value, json};

use super::checked_server::CheckedServer;
use crate::support::TestServer;

const TASK: &str = "get_task_from_url";
const DEPLOYMENT: &str = "get_deployment_from_url";

/// Returns a portal URL of the sample instance.
async fn portal_url(server: &CheckedServer, route: &str) -> String {
    let spaces = server.call_ok("list_spaces", json!({ "take": 1 })).await;
    let url = spaces["items"][0]["url"].as_str().unwrap();
    format!("{}/{route}", url.split("/app#").next().unwrap())
}

#[tokio::test]
async fn task_url_returns_the_task_details() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let details = server.call_ok("get_task_details", arguments).await;
    let base = portal_url(&server, "").await;
    for route in [
        "app#/Spaces-1/tasks/ServerTasks-90004",
        "app#/Spaces-1/tasks/ServerTasks-90004?activeTab=taskLog",
        "app/Spaces-1/tasks/servertasks-90004",
    ] {
        let url = format!("{base}{route}");
        let found = server.call_ok(TASK, json!({ "url": format!(" {url}\n") })).await;
        assert_eq!(found["task"]["task"], details["task"]);
        assert_eq!(found["task"]["failures"], details["failures"]);
        assert_eq!(found["resolvedSpaceName"], "Default");
        assert_eq!(found["resolvedTaskId"], "ServerTasks-90004");
        let uri = "octopus://spaces/Default/tasks/ServerTasks-90004/details";
        assert_eq!(found["resourceUri"], uri);
        assert_eq!(
            found["urlInfo"],
            json!({
                "originalUrl": url, "extractedSpaceId": "Spaces-1",
                "extractedTaskId": "ServerTasks-90004", "resourceType": "task",
            })
        );
    }
}

#[tokio::test]
async fn deployment_url_returns_next_steps_to_its_log() {
    let server = CheckedServer::start().await;
    let list = json!({ "space": "Default", "take": 1, "taskState": "Failed" });
    let list = server.call_ok("list_deployments", list).await;
    let deployment = &list["items"][0];
    let (id, task) = (deployment["id"].as_str().unwrap(), deployment["taskId"].as_str().unwrap());
    for route in [
        format!("app#/Spaces-1/deployments/{id}"),
        format!("app#/Spaces-1/projects/x/deployments/releases/1.0/deployments/{id}?tab=log"),
    ] {
        let found =
            server.call_ok(DEPLOYMENT, json!({ "url": portal_url(&server, &route).await })).await;
        assert_eq!(&found["deployment"], deployment);
        assert_eq!(
            (&found["taskIdForLogs"], &found["resolvedDeploymentId"]),
            (&json!(task), &json!(id))
        );
        assert_eq!(found["urlInfo"]["resourceType"], "deployment");
        let next = &found["nextSteps"];
        assert_eq!(next["useTaskId"], task);
        assert_eq!(
            next["taskResourceUri"],
            format!("octopus://spaces/Default/tasks/{task}/details")
        );
        let hint = json!({ "tool": "grep_task_log", "spaceName": "Default", "taskId": task });
        assert_eq!(next["grepTaskLogHint"], hint);
        assert!(next["description"].as_str().unwrap().contains("get_task_details"));
    }
}

#[tokio::test]
async fn next_steps_name_only_enabled_tools() {
    let server = CheckedServer {
        server: TestServer::with(|config| {
            config.tools.toolsets.0 = vec!["deployments".to_owned()];
        })
        .await,
    };
    let list = server.call_ok("list_deployments", json!({ "space": "Default", "take": 1 })).await;
    let route = format!("app#/Spaces-1/deployments/{}", list["items"][0]["id"].as_str().unwrap());
    let base = list["items"][0]["url"].as_str().unwrap().split("/app#").next().unwrap();
    let found = server.call_ok(DEPLOYMENT, json!({ "url": format!("{base}/{route}") })).await;
    let next = &found["nextSteps"];
    assert_eq!(next["useTaskId"], list["items"][0]["taskId"]);
    assert_eq!((next.get("taskResourceUri"), next.get("grepTaskLogHint")), (None, None));
}

#[tokio::test]
async fn space_lookup_is_cached() {
    let server = CheckedServer::start().await;
    let url = portal_url(&server, "app#/Spaces-1/tasks/ServerTasks-90004").await;
    server.take_requests();
    server.call_ok_once(TASK, json!({ "url": url })).await;
    let spaces = |sent: Vec<String>| {
        sent.into_iter().filter(|path| path.starts_with("/api/spaces")).collect::<Vec<_>>()
    };
    assert_eq!(spaces(server.take_requests()), ["/api/spaces/Spaces-1?"]);
    server.call_ok_once(TASK, json!({ "url": url })).await;
    let sent = server.take_requests();
    assert!(sent.len() <= 2, "expected requests: the details and the project: {sent:#?}");
}

#[tokio::test]
async fn rejects_invalid_urls_without_upstream_requests() {
    let server = CheckedServer::start().await;
    let base = portal_url(&server, "").await;
    server.take_requests();
    let rows: [(&str, String, &[&str]); 9] = [
        (TASK, String::new(), &["url: ", "empty"]),
        (TASK, "ServerTasks-1".to_owned(), &["not an http or https URL"]),
        (
            TASK,
            "https://other.example/app#/Spaces-1/tasks/ServerTasks-90004".to_owned(),
            &["belongs to other.example", "instance is at 127.0.0.1:"],
        ),
        (
            DEPLOYMENT,
            "http://127.0.0.1:1/app#/Spaces-1/deployments/Deployments-1".to_owned(),
            &["belongs to 127.0.0.1:1", "instance is at 127.0.0.1:"],
        ),
        (TASK, format!("{base}app#/tasks/ServerTasks-90004"), &["contains no space ID"]),
        (TASK, format!("{base}app#/Spaces-1/tasks/x"), &["names no task", "ServerTasks-123"]),
        (
            TASK,
            format!("{base}app#/Spaces-1/deployments/Deployments-1"),
            &["is for Deployments-1, not a task", "get_deployment_from_url"],
        ),
        (
            DEPLOYMENT,
            format!("{base}app#/Spaces-1/tasks/ServerTasks-1"),
            &["is for ServerTasks-1, not a deployment", "get_task_from_url"],
        ),
        (
            DEPLOYMENT,
            format!("{base}app#/Spaces-1/projects/x"),
            &["is for a project", "Deployments-123"],
        ),
    ];
    for (tool, url, expected) in rows {
        server.assert_error_contains(tool, json!({ "url": url }), expected).await;
    }
    assert_eq!(server.take_requests(), Vec::<String>::new());
}

#[tokio::test]
async fn reports_deleted_resources_of_a_url() {
    let server = CheckedServer::start().await;
    for (tool, route, expected) in [
        (
            TASK,
            "app#/Spaces-1/tasks/ServerTasks-1",
            "task 'ServerTasks-1' not found in space 'Default'",
        ),
        (
            DEPLOYMENT,
            "app#/Spaces-1/deployments/Deployments-1",
            "deployment 'Deployments-1' not found",
        ),
        (TASK, "app#/Spaces-99/tasks/ServerTasks-1", "space 'Spaces-99' not found"),
        (TASK, "app#/Spaces-22/tasks/ServerTasks-90004", "in space 'Warehouse Systems'"),
    ] {
        server
            .assert_error_contains(
                tool,
                json!({ "url": portal_url(&server, route).await }),
                &[expected],
            )
            .await;
    }
}

#[tokio::test]
async fn pinned_space_rejects_urls_of_other_spaces() {
    let server = TestServer::with_sample(Sample::new(), |config| {
        config.octopus.space = Some("warehouse-systems".to_owned());
    })
    .await;
    let base = server.octopus_url();
    let ask = |route: &str| json!({ "url": format!("{base}/{route}") });
    let message = server.call_error(TASK, ask("app#/Spaces-1/tasks/ServerTasks-90004")).await;
    assert!(
        message.contains("belongs to Spaces-1")
            && message.contains("only space 'Warehouse Systems'"),
        "{message}"
    );
    let list = server.call_ok("list_deployments", json!({ "take": 1 })).await;
    let id = list["items"][0]["id"].as_str().unwrap();
    let found = server.call_ok(DEPLOYMENT, ask(&format!("app#/Spaces-22/deployments/{id}"))).await;
    assert_eq!(found["resolvedSpaceName"], "Warehouse Systems");
    let value: Value = found;
    assert_eq!(value["deployment"]["id"], id);
}

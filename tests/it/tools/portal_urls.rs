//! `get_task_from_url` and `get_deployment_from_url`.

use octopus_sample::Sample;
use serde_json::{Value, json};

use super::held::Held;
use crate::support::TestServer;

const TASK: &str = "get_task_from_url";
const DEPLOYMENT: &str = "get_deployment_from_url";

/// Returns a portal URL of the sample instance.
async fn address(server: &Held, route: &str) -> String {
    let spaces = server.answer("list_spaces", json!({ "take": 1 })).await;
    let url = spaces["items"][0]["url"].as_str().unwrap();
    format!("{}/{route}", url.split("/app#").next().unwrap())
}

#[tokio::test]
async fn the_task_of_an_address_comes_as_its_details() {
    let server = Held::start().await;
    let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let details = server.answer("get_task_details", arguments).await;
    let base = address(&server, "").await;
    for route in [
        "app#/Spaces-1/tasks/ServerTasks-90004",
        "app#/Spaces-1/tasks/ServerTasks-90004?activeTab=taskLog",
        "app/Spaces-1/tasks/servertasks-90004",
    ] {
        let url = format!("{base}{route}");
        let found = server.answer(TASK, json!({ "url": format!(" {url}\n") })).await;
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
async fn the_deployment_of_an_address_comes_with_the_way_to_its_log() {
    let server = Held::start().await;
    let list = json!({ "space": "Default", "take": 1, "taskState": "Failed" });
    let list = server.answer("list_deployments", list).await;
    let deployment = &list["items"][0];
    let (id, task) = (deployment["id"].as_str().unwrap(), deployment["taskId"].as_str().unwrap());
    for route in [
        format!("app#/Spaces-1/deployments/{id}"),
        format!("app#/Spaces-1/projects/x/deployments/releases/1.0/deployments/{id}?tab=log"),
    ] {
        let found =
            server.answer(DEPLOYMENT, json!({ "url": address(&server, &route).await })).await;
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
async fn only_what_is_on_is_named_as_the_next_step() {
    let server = Held {
        server: TestServer::with(|config| {
            config.tools.toolsets.0 = vec!["deployments".to_owned()];
        })
        .await,
    };
    let list = server.answer("list_deployments", json!({ "space": "Default", "take": 1 })).await;
    let route = format!("app#/Spaces-1/deployments/{}", list["items"][0]["id"].as_str().unwrap());
    let base = list["items"][0]["url"].as_str().unwrap().split("/app#").next().unwrap();
    let found = server.answer(DEPLOYMENT, json!({ "url": format!("{base}/{route}") })).await;
    let next = &found["nextSteps"];
    assert_eq!(next["useTaskId"], list["items"][0]["taskId"]);
    assert_eq!((next.get("taskResourceUri"), next.get("grepTaskLogHint")), (None, None));
}

#[tokio::test]
async fn the_space_costs_one_look_up_that_is_remembered() {
    let server = Held::start().await;
    let url = address(&server, "app#/Spaces-1/tasks/ServerTasks-90004").await;
    server.requests();
    server.answer_once(TASK, json!({ "url": url })).await;
    let spaces = |sent: Vec<String>| {
        sent.into_iter().filter(|path| path.starts_with("/api/spaces")).collect::<Vec<_>>()
    };
    assert_eq!(spaces(server.requests()), ["/api/spaces/Spaces-1?"]);
    server.answer_once(TASK, json!({ "url": url })).await;
    let sent = server.requests();
    assert!(sent.len() <= 2, "expected requests: the details and the project: {sent:#?}");
}

#[tokio::test]
async fn addresses_are_checked_before_octopus_is_asked() {
    let server = Held::start().await;
    let base = address(&server, "").await;
    server.requests();
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
    for (tool, url, words) in rows {
        server.refuses(tool, json!({ "url": url }), words).await;
    }
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn what_an_address_leads_to_may_be_gone() {
    let server = Held::start().await;
    for (tool, route, words) in [
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
        server.refuses(tool, json!({ "url": address(&server, route).await }), &[words]).await;
    }
}

#[tokio::test]
async fn a_fixed_space_is_the_only_one() {
    let server = TestServer::on(Sample::new(), |config| {
        config.octopus.space = Some("warehouse-systems".to_owned());
    })
    .await;
    let base = server.octopus();
    let ask = |route: &str| json!({ "url": format!("{base}/{route}") });
    let message = server.failure(TASK, ask("app#/Spaces-1/tasks/ServerTasks-90004")).await;
    assert!(
        message.contains("belongs to Spaces-1")
            && message.contains("only space 'Warehouse Systems'"),
        "{message}"
    );
    let list = server.answer("list_deployments", json!({ "take": 1 })).await;
    let id = list["items"][0]["id"].as_str().unwrap();
    let found = server.answer(DEPLOYMENT, ask(&format!("app#/Spaces-22/deployments/{id}"))).await;
    assert_eq!(found["resolvedSpaceName"], "Warehouse Systems");
    let value: Value = found;
    assert_eq!(value["deployment"]["id"], id);
}

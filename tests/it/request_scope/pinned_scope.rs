//! The space and project that a path or header pins.

use serde_json::{Value, json};

use super::{call_error, call_ok, listed_tools, rpc};
use crate::support::{ERAS, Era, TestServer};

const SPACE: (&str, super::ExtraHeaders<'static>) = ("/i/default/Default", &[]);
const PROJECT: (&str, super::ExtraHeaders<'static>) = ("/i/default/default/route-planner", &[]);

/// Returns all argument names of the listed tools.
async fn arguments(server: &TestServer, endpoint: (&str, super::ExtraHeaders<'_>)) -> Vec<String> {
    let listed = rpc(server, Era::Modern, endpoint, "tools/list", json!({})).await.json();
    let tools = listed["result"]["tools"].as_array().unwrap().clone();
    let names = |tool: &Value| -> Vec<String> {
        let schema = &tool["inputSchema"];
        let properties = schema["properties"].as_object().unwrap();
        let required = schema["required"].as_array().into_iter().flatten();
        assert!(required.into_iter().all(|name| properties.contains_key(name.as_str().unwrap())));
        properties.keys().cloned().collect()
    };
    tools.iter().flat_map(names).collect()
}

#[tokio::test]
async fn pinned_space_is_not_a_tool_argument() {
    let server = TestServer::start().await;
    let by_header = ("", &[("x-octopus-space", "Spaces-1")][..]);
    for endpoint in [SPACE, by_header] {
        assert!(!arguments(&server, endpoint).await.contains(&"space".to_owned()));
        assert!(!listed_tools(&server, endpoint).await.contains("list_spaces"));
        let projects = call_ok(&server, endpoint, "list_projects", json!({})).await;
        assert!(projects.to_string().contains("Route Planner"), "{projects}");
        let same = json!({ "space": "default", "take": 1 });
        call_ok(&server, endpoint, "list_projects", same).await;
        let other = json!({ "space": "Warehouse Systems" });
        let message = call_error(&server, endpoint, "list_projects", other).await;
        assert!(message.contains("is limited to the space 'Default'"), "{message}");
        let path = json!({ "method": "GET", "path": "/api/Spaces-22/projects" });
        let message = call_error(&server, endpoint, "execute", path).await;
        assert!(message.contains("limited to one space"), "{message}");
    }
    assert!(arguments(&server, ("", &[])).await.contains(&"space".to_owned()));
}

#[tokio::test]
async fn unknown_space_error_lists_visible_spaces() {
    let server = TestServer::start().await;
    let by_header = ("", &[("x-octopus-space", "Defalt")][..]);
    for endpoint in [("/i/default/Defalt", &[][..]), by_header] {
        for era in ERAS {
            let rejected = rpc(&server, era, endpoint, "tools/list", json!({})).await;
            assert_eq!(rejected.status, 404, "{}", rejected.text);
            let message = rejected.error_message();
            let expected = "space 'Defalt' not found in instance 'default', or you have no access to \
                            it; available: default";
            assert!(message.contains(expected), "{message}");
        }
    }
}

#[tokio::test]
async fn request_cannot_leave_the_configured_space() {
    let server = TestServer::with(|config| {
        config.octopus.space = Some("Default".to_owned());
    })
    .await;
    for place in
        [("/i/default/Spaces-22", &[][..]), ("", &[("x-octopus-space", "Warehouse Systems")][..])]
    {
        let refused = rpc(&server, Era::Modern, place, "tools/list", json!({})).await;
        assert_eq!(refused.status, 404, "{}", refused.text);
        assert!(refused.error_message().contains("available: Default"), "{}", refused.text);
    }
    call_ok(&server, ("/i/default/spaces-1", &[]), "list_projects", json!({})).await;
}

#[tokio::test]
async fn pinned_project_limits_every_call() {
    let server = TestServer::with(|config| config.tools.read_only = false).await;
    let names = arguments(&server, PROJECT).await;
    for removed in ["space", "projectId", "projectName", "projects", "eventId"] {
        assert!(!names.contains(&removed.to_owned()), "{removed}");
    }
    let listed = listed_tools(&server, PROJECT).await;
    for across in ["list_projects", "list_releases", "find_interruptions", "execute", "list_spaces"]
    {
        assert!(!listed.contains(across), "{across}");
        let message = call_error(&server, PROJECT, across, json!({})).await;
        assert!(message.starts_with(&format!("unknown tool: {across}. ")), "{message}");
    }
    for there in ["list_deployments", "get_task_details", "create_release", "find_runbooks"] {
        assert!(listed.contains(there), "{there}");
    }
    let found = call_ok(&server, PROJECT, "list_deployments", json!({})).await;
    let items = found["items"].as_array().unwrap();
    assert!(!items.is_empty() && items.iter().all(|item| item["projectId"] == "Projects-2"));
    let releases = call_ok(&server, PROJECT, "list_releases_for_project", json!({})).await;
    assert!(!releases["items"].as_array().unwrap().is_empty());
    for same in ["Route Planner", "Projects-2", "route-planner"] {
        let arguments = json!({ "projectId": same });
        call_ok(&server, PROJECT, "list_releases_for_project", arguments).await;
    }
    for (tool, arguments) in [
        ("list_releases_for_project", json!({ "projectId": "Projects-1" })),
        ("list_deployments", json!({ "projects": ["Route Planner", "Projects-1"] })),
        ("get_latest_deployment", json!({ "project": "Parcel Tracking API" })),
    ] {
        let message = call_error(&server, PROJECT, tool, arguments).await;
        assert!(message.contains("limited to the project 'Route Planner'"), "{tool}: {message}");
    }
}

#[tokio::test]
async fn rejects_documents_of_another_project() {
    let server = TestServer::start().await;
    let document = async |project: &str| {
        let arguments = json!({ "space": "Default", "projects": [project], "take": 1 });
        let found = server.call_ok("list_deployments", arguments).await;
        let item = &found["items"][0];
        let text = |key: &str| item[key].as_str().unwrap().to_owned();
        (text("releaseId"), text("taskId"), text("url"))
    };
    let (own, other) = (document("Route Planner").await, document("Parcel Tracking API").await);
    for ((release, task, url), is_own) in [(own, true), (other, false)] {
        let calls = [
            ("get_release_by_id", json!({ "releaseId": release })),
            ("get_task_by_id", json!({ "taskId": task })),
            ("get_task_details", json!({ "taskId": task })),
            ("get_task_raw", json!({ "taskId": task })),
            ("grep_task_log", json!({ "taskId": task, "pattern": "." })),
            ("get_deployment_from_url", json!({ "url": url })),
            ("read_resource", json!({ "uri": format!("octopus://spaces/Default/tasks/{task}") })),
            (
                "read_resource",
                json!({ "uri": format!("octopus://spaces/Default/tasks/{task}/details") }),
            ),
            (
                "read_resource",
                json!({ "uri": format!("octopus://spaces/Default/releases/{release}") }),
            ),
        ];
        for (tool, arguments) in calls {
            if is_own {
                call_ok(&server, PROJECT, tool, arguments).await;
            } else {
                let message = call_error(&server, PROJECT, tool, arguments).await;
                assert!(
                    message.contains("not belong to the project 'Route Planner'"),
                    "{tool}: {message}"
                );
            }
        }
    }
    for era in ERAS {
        let uri = json!({ "uri": "octopus://spaces/Default" });
        let read = rpc(&server, era, PROJECT, "resources/read", uri).await;
        assert!(read.error_message().contains("resource 'octopus://"), "{}", read.text);
    }
}

#[tokio::test]
async fn prompts_completions_and_instructions_use_pinned_scope() {
    let server = TestServer::start().await;
    for era in ERAS {
        let prompts = rpc(&server, era, PROJECT, "prompts/list", json!({})).await.json();
        let prompts = prompts["result"]["prompts"].as_array().unwrap().clone();
        assert!(!prompts.is_empty());
        for prompt in &prompts {
            let arguments = prompt["arguments"].as_array().into_iter().flatten();
            let names: Vec<_> = arguments.map(|argument| argument["name"].clone()).collect();
            assert!(!names.contains(&json!("space")) && !names.contains(&json!("project")));
        }
        let params = json!({
            "ref": { "type": "ref/resource", "uri": "octopus://spaces/{spaceName}/tasks/{taskId}" },
            "argument": { "name": "taskId", "value": "" },
        });
        let completed = rpc(&server, era, PROJECT, "completion/complete", params).await.json();
        assert_eq!(completed["result"]["completion"]["values"], json!([]), "{completed}");
    }
    let found = rpc(&server, Era::Modern, PROJECT, "server/discover", json!({})).await;
    assert!(found.text.contains("All tools work in the space default."), "{}", found.text);
    assert!(found.text.contains("work only on the project route-planner"), "{}", found.text);
    let found = rpc(&server, Era::Modern, ("", &[]), "server/discover", json!({})).await;
    assert!(found.text.contains("Most tools take a `space`"), "{}", found.text);
}

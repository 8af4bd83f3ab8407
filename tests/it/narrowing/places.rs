//! The space and project that a path or header pins.

use serde_json::{Value, json};

use super::{answer, ask, failure, tools};
use crate::support::{ERAS, Era, TestServer};

const SPACE: (&str, super::Headers<'static>) = ("/i/default/Default", &[]);
const PROJECT: (&str, super::Headers<'static>) = ("/i/default/default/route-planner", &[]);

/// Returns all argument names of the listed tools.
async fn arguments(server: &TestServer, place: (&str, super::Headers<'_>)) -> Vec<String> {
    let listed = ask(server, Era::Modern, place, "tools/list", json!({})).await.json();
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
async fn a_fixed_space_is_no_argument_of_any_tool() {
    let server = TestServer::start().await;
    let by_header = ("", &[("x-octopus-space", "Spaces-1")][..]);
    for place in [SPACE, by_header] {
        assert!(!arguments(&server, place).await.contains(&"space".to_owned()));
        assert!(!tools(&server, place).await.contains("list_spaces"));
        let projects = answer(&server, place, "list_projects", json!({})).await;
        assert!(projects.to_string().contains("Route Planner"), "{projects}");
        let same = json!({ "space": "default", "take": 1 });
        answer(&server, place, "list_projects", same).await;
        let other = json!({ "space": "Warehouse Systems" });
        let message = failure(&server, place, "list_projects", other).await;
        assert!(message.contains("is limited to the space 'Default'"), "{message}");
        let path = json!({ "method": "GET", "path": "/api/Spaces-22/projects" });
        let message = failure(&server, place, "execute", path).await;
        assert!(message.contains("limited to one space"), "{message}");
    }
    assert!(arguments(&server, ("", &[])).await.contains(&"space".to_owned()));
}

#[tokio::test]
async fn a_space_that_the_caller_does_not_see_is_refused_with_those_that_they_do() {
    let server = TestServer::start().await;
    let by_header = ("", &[("x-octopus-space", "Defalt")][..]);
    for place in [("/i/default/Defalt", &[][..]), by_header] {
        for era in ERAS {
            let refused = ask(&server, era, place, "tools/list", json!({})).await;
            assert_eq!(refused.status, 404, "{}", refused.text);
            let message = refused.message();
            let expected = "space 'Defalt' not found in instance 'default', or you have no access to \
                            it; available: default";
            assert!(message.contains(expected), "{message}");
        }
    }
}

#[tokio::test]
async fn the_space_of_the_settings_is_not_left_by_a_request() {
    let server = TestServer::with(|config| {
        config.octopus.space = Some("Default".to_owned());
    })
    .await;
    for place in
        [("/i/default/Spaces-22", &[][..]), ("", &[("x-octopus-space", "Warehouse Systems")][..])]
    {
        let refused = ask(&server, Era::Modern, place, "tools/list", json!({})).await;
        assert_eq!(refused.status, 404, "{}", refused.text);
        assert!(refused.message().contains("available: Default"), "{}", refused.text);
    }
    answer(&server, ("/i/default/spaces-1", &[]), "list_projects", json!({})).await;
}

#[tokio::test]
async fn a_fixed_project_is_no_argument_and_holds_every_call() {
    let server = TestServer::with(|config| config.tools.read_only = false).await;
    let taken = arguments(&server, PROJECT).await;
    for gone in ["space", "projectId", "projectName", "projects", "eventId"] {
        assert!(!taken.contains(&gone.to_owned()), "{gone}");
    }
    let listed = tools(&server, PROJECT).await;
    for across in ["list_projects", "list_releases", "find_interruptions", "execute", "list_spaces"]
    {
        assert!(!listed.contains(across), "{across}");
        let message = failure(&server, PROJECT, across, json!({})).await;
        assert_eq!(message, format!("unknown tool: {across}"));
    }
    for there in ["list_deployments", "get_task_details", "create_release", "find_runbooks"] {
        assert!(listed.contains(there), "{there}");
    }
    let found = answer(&server, PROJECT, "list_deployments", json!({})).await;
    let items = found["items"].as_array().unwrap();
    assert!(!items.is_empty() && items.iter().all(|item| item["projectId"] == "Projects-2"));
    let releases = answer(&server, PROJECT, "list_releases_for_project", json!({})).await;
    assert!(!releases["items"].as_array().unwrap().is_empty());
    for same in ["Route Planner", "Projects-2", "route-planner"] {
        let arguments = json!({ "projectId": same });
        answer(&server, PROJECT, "list_releases_for_project", arguments).await;
    }
    for (tool, arguments) in [
        ("list_releases_for_project", json!({ "projectId": "Projects-1" })),
        ("list_deployments", json!({ "projects": ["Route Planner", "Projects-1"] })),
        ("get_latest_deployment", json!({ "project": "Parcel Tracking API" })),
    ] {
        let message = failure(&server, PROJECT, tool, arguments).await;
        assert!(message.contains("limited to the project 'Route Planner'"), "{tool}: {message}");
    }
}

#[tokio::test]
async fn single_documents_of_another_project_are_refused() {
    let server = TestServer::start().await;
    let document = async |project: &str| {
        let arguments = json!({ "space": "Default", "projects": [project], "take": 1 });
        let found = server.answer("list_deployments", arguments).await;
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
                answer(&server, PROJECT, tool, arguments).await;
            } else {
                let message = failure(&server, PROJECT, tool, arguments).await;
                assert!(
                    message.contains("not belong to the project 'Route Planner'"),
                    "{tool}: {message}"
                );
            }
        }
    }
    for era in ERAS {
        let uri = json!({ "uri": "octopus://spaces/Default" });
        let read = ask(&server, era, PROJECT, "resources/read", uri).await;
        assert!(read.message().contains("resource 'octopus://"), "{}", read.text);
    }
}

#[tokio::test]
async fn prompts_completions_and_instructions_know_what_is_fixed() {
    let server = TestServer::start().await;
    for era in ERAS {
        let prompts = ask(&server, era, PROJECT, "prompts/list", json!({})).await.json();
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
        let completed = ask(&server, era, PROJECT, "completion/complete", params).await.json();
        assert_eq!(completed["result"]["completion"]["values"], json!([]), "{completed}");
    }
    let found = ask(&server, Era::Modern, PROJECT, "server/discover", json!({})).await;
    assert!(found.text.contains("All tools work in the space default."), "{}", found.text);
    assert!(found.text.contains("work only on the project route-planner"), "{}", found.text);
    let found = ask(&server, Era::Modern, ("", &[]), "server/discover", json!({})).await;
    assert!(found.text.contains("Most tools take a `space`"), "{}", found.text);
}

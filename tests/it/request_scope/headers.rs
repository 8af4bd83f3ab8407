//! Headers that limit the scope of a request.

use serde_json::json;

use super::{call, call_error, listed_tools, rpc};
use crate::support::{ERAS, Era, TestServer};

#[tokio::test]
async fn headers_limit_toolsets_and_tools() {
    let server = TestServer::start().await;
    let all_tools = listed_tools(&server, ("", &[])).await;
    let tasks = listed_tools(&server, ("", &[("x-mcp-toolsets", " Tasks , ")])).await;
    assert_eq!(tasks, listed_tools(&server, ("/x/tasks", &[])).await);
    assert_eq!(all_tools, listed_tools(&server, ("", &[("x-mcp-toolsets", "all")])).await);
    let two = listed_tools(&server, ("", &[("x-mcp-tools", "list_projects,LIST_SPACES")])).await;
    assert_eq!(two.into_iter().collect::<Vec<_>>(), ["list_projects", "list_spaces"]);
    let both =
        [("x-mcp-tools", "list_projects,list_spaces"), ("x-mcp-exclude-tools", "list_spaces")];
    let one = listed_tools(&server, ("", &both)).await;
    assert_eq!(one.into_iter().collect::<Vec<_>>(), ["list_projects"]);
    let endpoint = ("", &both[..]);
    let message = call_error(&server, endpoint, "list_spaces", json!({})).await;
    assert!(message.starts_with("unknown tool: list_spaces. "), "{message}");
    for empty in ["", ",", " , "] {
        assert_eq!(
            all_tools,
            listed_tools(&server, ("", &[("x-mcp-tools", empty), ("x-mcp-toolsets", empty)])).await
        );
    }
}

#[tokio::test]
async fn excluded_toolsets_are_unreachable_through_execute() {
    let server = TestServer::start().await;
    let endpoint = ("", &[("x-mcp-exclude-tools", "list_deployments")][..]);
    let get = json!({ "method": "GET", "path": "/api/Spaces-1/deployments" });
    let message = call_error(&server, endpoint, "execute", get.clone()).await;
    assert!(message.contains("excludes its tool list_deployments"), "{message}");
    let other = ("", &[("x-mcp-exclude-tools", "list_projects")][..]);
    assert_eq!(call(&server, Era::Modern, other, "execute", get).await["isError"], false);
}

#[tokio::test]
async fn omits_resources_of_excluded_tools() {
    let server = TestServer::start().await;
    let endpoint = ("", &[("x-mcp-tools", "list_projects")][..]);
    for era in ERAS {
        let templates = rpc(&server, era, endpoint, "resources/templates/list", json!({})).await;
        assert!(!templates.text.contains("/tasks/"), "{}", templates.text);
    }
}

#[tokio::test]
async fn parses_read_only_as_a_lenient_boolean() {
    let server = TestServer::with(|config| config.tools.read_only = false).await;
    for (value, changes) in [
        ("false", true),
        ("0", true),
        ("No", true),
        ("off", true),
        ("n", true),
        ("F", true),
        ("true", false),
        ("1", false),
        ("yes", false),
        ("whatever", false),
    ] {
        let listed = listed_tools(&server, ("", &[("x-mcp-readonly", value)])).await;
        assert_eq!(listed.contains("create_release"), changes, "{value}");
    }
}

#[tokio::test]
async fn request_cannot_enable_disabled_tools() {
    let server = TestServer::with(|config| {
        config.tools.toolsets.0 = vec!["tasks".to_owned()];
    })
    .await;
    let all_tools = listed_tools(&server, ("", &[])).await;
    for headers in [
        &[("x-mcp-toolsets", "all")][..],
        &[("x-mcp-toolsets", "projects,tasks")],
        &[("x-mcp-readonly", "false")],
        &[("x-mcp-tools", "create_release,list_projects,get_task_raw")],
        &[("x-mcp-readonly", "false"), ("x-mcp-toolsets", "releases")],
    ] {
        let listed = listed_tools(&server, ("", headers)).await;
        assert!(listed.is_subset(&all_tools), "{headers:?}: {listed:?}");
        let arguments = json!({ "space": "Default" });
        let message = call_error(&server, ("", headers), "list_projects", arguments).await;
        assert!(message.starts_with("unknown tool: list_projects. "), "{message} {headers:?}");
    }
    assert!(listed_tools(&server, ("/x/all", &[])).await.is_subset(&all_tools));
}

#[tokio::test]
async fn rejects_unknown_tools_with_suggestions() {
    let server = TestServer::start().await;
    for header in ["x-mcp-tools", "x-mcp-exclude-tools"] {
        for era in ERAS {
            let endpoint = ("", &[(header, "list_spaces,list_project")][..]);
            let rejected = rpc(&server, era, endpoint, "tools/list", json!({})).await;
            assert_eq!(rejected.status, 400, "{}", rejected.text);
            let message = rejected.error_message();
            assert!(
                message.contains("unknown tool `list_project`; did you mean `list_projects`?"),
                "{message}"
            );
            assert!(message.contains("get_task_raw"), "{message}");
        }
    }
}

#[tokio::test]
async fn rejects_contradictory_paths_and_headers() {
    let server = TestServer::with_instances(&["warehouse", "shop"], |_| {}).await;
    for (path, headers) in [
        ("/i/shop", &[("x-octopus-instance", "warehouse")][..]),
        ("/i/shop/Default", &[("x-octopus-space", "Warehouse Systems")]),
        ("/x/tasks", &[("x-mcp-toolsets", "projects")]),
        ("/readonly", &[("x-mcp-readonly", "false")]),
        ("", &[("x-octopus-space", "Default"), ("x-octopus-space", "Spaces-22")]),
        ("", &[("x-octopus-instance", "shop"), ("x-octopus-instance", "warehouse")]),
        ("", &[("x-mcp-tools", "list_spaces"), ("x-mcp-tools", "list_projects")]),
        ("", &[("x-mcp-readonly", "false"), ("x-mcp-readonly", "true")]),
    ] {
        for era in ERAS {
            let rejected = rpc(&server, era, (path, headers), "tools/list", json!({})).await;
            assert_eq!(
                (rejected.status, rejected.error_code()),
                (400, -32600),
                "{path} {headers:?}"
            );
            let header = format!("header {}", headers[0].0);
            assert!(rejected.error_message().contains(&header), "{headers:?}: {}", rejected.text);
        }
    }
    for (path, headers) in [
        ("/i/shop", &[("x-octopus-instance", "SHOP")][..]),
        ("/x/tasks", &[("x-mcp-toolsets", "tasks,projects")]),
        ("/readonly", &[("x-mcp-readonly", "1")]),
        ("", &[("x-octopus-space", "Default"), ("x-octopus-space", "Default")]),
        ("", &[("x-octopus-space", "")]),
    ] {
        let reply = rpc(&server, Era::Modern, (path, headers), "tools/list", json!({})).await;
        assert_eq!(reply.status, 200, "{path} {headers:?}: {}", reply.text);
    }
}

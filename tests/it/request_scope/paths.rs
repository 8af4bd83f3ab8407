//! Paths below `/mcp`.

use octopus_mcp::config::SessionStorage;
use serde_json::json;

use super::{call_error, listed_tools, rpc};
use crate::support::{ERAS, Era, LEGACY_VERSION, TestServer, send};

const PATH_FORMS: [&str; 13] = [
    "",
    "/",
    "/readonly",
    "/readonly/",
    "/x/tasks",
    "/x/tasks/",
    "/x/tasks/readonly",
    "/i/warehouse",
    "/i/warehouse/",
    "/i/warehouse/Default",
    "/i/warehouse/default/parcel-tracking-api",
    "/i/warehouse/Warehouse%20Systems/Stock%20Ledger/",
    "/x/tasks/readonly/i/warehouse/Default",
];

fn initialize_params() -> serde_json::Value {
    json!({
        "protocolVersion": LEGACY_VERSION,
        "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" },
    })
}

#[tokio::test]
async fn all_path_forms_serve_both_eras() {
    let server = TestServer::with_instances(&["warehouse", "shop"], |_| {}).await;
    for path in PATH_FORMS {
        let initialized =
            rpc(&server, Era::Legacy, (path, &[]), "initialize", initialize_params()).await;
        assert_eq!(initialized.status, 200, "{path}: {}", initialized.text);
        let found = rpc(&server, Era::Modern, (path, &[]), "server/discover", json!({})).await;
        assert_eq!(found.status, 200, "{path}: {}", found.text);
        let (initialized, found) = (initialized.json(), found.json());
        let message = &initialized["result"]["instructions"];
        assert_eq!(message, &found["result"]["instructions"], "{path}");
        assert!(message.as_str().unwrap().contains("The instance is warehouse."), "{message}");
        assert!(!listed_tools(&server, (path, &[])).await.is_empty(), "{path}");
        let got = server.http.get(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(got.status(), 405, "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_return_404() {
    let server = TestServer::start().await;
    for path in ["/tasks", "/x", "/i", "/i/default/a/b/c", "/readonly/x/tasks", "//", "/i/%00"] {
        let found = rpc(&server, Era::Modern, (path, &[]), "tools/list", json!({})).await;
        assert_eq!(found.status, 404, "{path}: {}", found.text);
        assert!(found.error_message().contains("/mcp/i/INSTANCE"), "{path}: {}", found.text);
        let got = server.http.get(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(got.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn read_only_path_rejects_changes() {
    let server = TestServer::with(|config| config.tools.read_only = false).await;
    let (all_tools, limited) =
        (listed_tools(&server, ("", &[])).await, listed_tools(&server, ("/readonly", &[])).await);
    assert!(all_tools.contains("create_release") && !limited.contains("create_release"));
    assert!(limited.is_subset(&all_tools) && limited.contains("execute"));
    let release = json!({ "space": "Default", "projectName": "Route Planner" });
    let message = call_error(&server, ("/readonly", &[]), "create_release", release).await;
    assert!(message.starts_with("unknown tool: create_release. "), "{message}");
    let post = json!({ "method": "POST", "path": "/api/Spaces-1/releases", "body": {} });
    let message = call_error(&server, ("/readonly", &[]), "execute", post).await;
    assert!(message.contains("this request is read-only"), "{message}");
    assert!(message.contains("X-MCP-Readonly"), "{message}");
    assert_eq!(server.sample.changes(), []);
}

#[tokio::test]
async fn toolset_path_limits_tools_resources_and_prompts() {
    let server = TestServer::start().await;
    let endpoint = ("/x/tasks", &[][..]);
    let limited = listed_tools(&server, endpoint).await;
    assert!(limited.contains("get_task_details") && limited.contains("list_spaces"), "{limited:?}");
    assert!(!limited.contains("list_projects"));
    let message =
        call_error(&server, endpoint, "list_projects", json!({ "space": "Default" })).await;
    assert!(message.starts_with("unknown tool: list_projects. "), "{message}");
    let get = json!({ "method": "GET", "path": "/api/Spaces-1/projects" });
    let message = call_error(&server, endpoint, "execute", get).await;
    assert!(message.contains("the toolset `projects`"), "{message}");
    for era in ERAS {
        let templates = rpc(&server, era, endpoint, "resources/templates/list", json!({})).await;
        assert!(templates.text.contains("/tasks/") && !templates.text.contains("/releases/"));
        let uri = json!({ "uri": "octopus://spaces/Default/releases/Releases-1" });
        let read = rpc(&server, era, endpoint, "resources/read", uri).await;
        assert!(read.error_message().contains("resource 'octopus://"), "{}", read.text);
        let prompts = rpc(&server, era, endpoint, "prompts/list", json!({})).await.json();
        let names: Vec<_> = prompts["result"]["prompts"].as_array().unwrap().iter().collect();
        assert!(names.iter().all(|prompt| prompt["name"] != "prepare_promotion"), "{prompts}");
    }
}

#[tokio::test]
async fn rejects_unknown_toolsets_with_suggestions() {
    let server = TestServer::start().await;
    for (path, headers) in [("/x/task", &[][..]), ("", &[("x-mcp-toolsets", "core,task")][..])] {
        for era in ERAS {
            let rejected = rpc(&server, era, (path, headers), "tools/list", json!({})).await;
            assert_eq!(rejected.status, 400, "{}", rejected.text);
            let message = rejected.error_message();
            assert!(
                message.contains("unknown toolset `task`; did you mean `tasks`? Available: core,"),
                "{message}"
            );
        }
    }
}

#[tokio::test]
async fn session_is_bound_to_its_path() {
    let server = TestServer::with_instances(&["warehouse", "shop"], |config| {
        config.http.sessions = SessionStorage::Memory;
    })
    .await;
    let begin = async |path: &str| {
        let initialized =
            rpc(&server, Era::Legacy, (path, &[]), "initialize", initialize_params()).await;
        assert_eq!(initialized.status, 200, "{}", initialized.text);
        initialized.header("mcp-session-id").to_owned()
    };
    for path in ["/readonly", "/i/shop", "/i/shop/Default", "/x/tasks"] {
        let id = begin(path).await;
        for other in PATH_FORMS.into_iter().filter(|other| !other.starts_with(path)) {
            let endpoint = (other, &[("mcp-session-id", id.as_str())][..]);
            let rejected = rpc(&server, Era::Legacy, endpoint, "tools/list", json!({})).await;
            assert_eq!(rejected.status, 404, "{path} at {other}");
            let request = server.http.delete(format!("{}{other}", server.url));
            let request = request.header("x-octopus-apikey", octopus_sample::keys::ADMIN);
            let ended = send(request.header("mcp-session-id", &id)).await;
            assert_eq!(ended.status, 404, "{path} at {other}");
        }
        let with_header = [("mcp-session-id", id.as_str()), ("x-mcp-tools", "list_spaces")];
        let rejected =
            rpc(&server, Era::Legacy, (path, &with_header), "tools/list", json!({})).await;
        assert_eq!(rejected.status, 404, "{path} with another header");
        let request = server.http.delete(format!("{}{path}", server.url));
        let request = request.header("x-octopus-apikey", octopus_sample::keys::ADMIN);
        assert_eq!(send(request.header("mcp-session-id", &id)).await.status, 204, "{path}");
    }
}

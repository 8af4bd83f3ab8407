//! `execute` is limited to the enabled toolsets and the pinned space.

use octopus_mcp::{
    access::{ExecutePath, HttpMethod},
    app,
    config::{Config, ListSetting},
};
use serde_json::json;

use super::{assert_error_contains, get};
use crate::support::TestServer;

async fn with_toolsets(toolsets: &[&str]) -> TestServer {
    let toolsets = toolsets.iter().map(|name| (*name).to_owned()).collect();
    TestServer::with(|config| config.tools.toolsets = ListSetting(toolsets)).await
}

#[tokio::test]
async fn disabled_toolsets_are_unreachable_through_execute() {
    let server = with_toolsets(&["releases"]).await;
    assert_error_contains(
        &server,
        get("/api/Spaces-1/certificates"),
        &["`certificates`", "disabled"],
    )
    .await;
    assert_error_contains(&server, get("/api/projects/Projects-1"), &["`projects`"]).await;
    assert_error_contains(&server, get("/api/spaces/default/unheard"), &["no toolset"]).await;
    assert!(server.sample.journal().is_empty());
    server.call_ok("execute", get("/api/Spaces-1/projects/Projects-1/releases")).await;
    server.call_ok("execute", get("/api/spaces/Spaces-1")).await;
    // `all` by name enables every toolset.
    let catalog = app::catalog();
    let names: Vec<&str> = catalog.toolsets().iter().map(|toolset| toolset.name).collect();
    let message =
        with_toolsets(&names).await.call_error("execute", get("/api/Spaces-1/unheard")).await;
    assert!(message.contains("resource '/api/Spaces-1/unheard' not found"), "{message}");
}

#[test]
fn most_specific_toolset_owns_a_path() {
    for (path, toolset) in [
        ("projects/Projects-1", "projects"),
        ("projects/Projects-1/triggers", "projects"),
        ("projects/Projects-1/releases/1.0.0", "releases"),
        ("projects/Projects-1/channels", "releases"),
        ("projects/Projects-1/variables", "projects"),
        ("projects/Projects-1/runbooks/all", "runbooks"),
        ("projects/Projects-1/refs%2Fheads%2Fmain/runbooks", "runbooks"),
        ("projects/Projects-1/progression", "deployments"),
        ("projects/Projects-1/git/branches", "context"),
        ("projects/Projects-1/featuretoggles/x", "featureToggles"),
        ("projects/P/environments/E/untenanted/livestatus", "kubernetes"),
        ("runbook-runs/create/v1", "runbooks"),
        ("runbookRuns/RunbookRuns-1", "runbooks"),
        ("feeds/all", "releases"),
        ("libraryvariablesets", "projects"),
        ("tagsets", "tenants"),
        ("tasks/ServerTasks-1/details", "tasks"),
        ("artifacts", "tasks"),
        ("events", "events"),
        ("environments/Environments-1/machines", "machines"),
        ("machines/all", "machines"),
        ("certificates/Certificates-1", "certificates"),
        ("accounts", "accounts"),
        ("interruptions", "interruptions"),
        ("tenantvariables/all", "tenants"),
    ] {
        for form in ["/api/", "/api/Spaces-1/", "/API/SPACES/default/"] {
            let path = ExecutePath::parse(&format!("{form}{path}")).unwrap();
            let mut config = Config::default();
            let all = app::tool_access(&config).unwrap();
            let on: Vec<&str> = all.toolsets().filter(|name| *name != toolset).collect();
            config.tools.toolsets = ListSetting(on.into_iter().map(str::to_owned).collect());
            let others = app::tool_access(&config).unwrap();
            let message =
                path.ensure_allowed(HttpMethod::Get, None, &others).unwrap_err().to_string();
            assert!(message.contains(&format!("`{toolset}`")), "{message}");
            config.tools.toolsets = ListSetting(vec![toolset.to_owned()]);
            path.ensure_allowed(HttpMethod::Get, None, &app::tool_access(&config).unwrap())
                .unwrap();
        }
    }
    let mut config = Config::default();
    config.tools.toolsets = ListSetting(vec!["core".to_owned()]);
    let core = app::tool_access(&config).unwrap();
    let is_allowed = |path: &str| {
        ExecutePath::parse(path).unwrap().ensure_allowed(HttpMethod::Get, None, &core).is_ok()
    };
    for path in ["/api", "/api/Spaces-1", "/api/spaces", "/api/spaces/default", "/api/users/me"] {
        assert!(is_allowed(path), "{path}");
    }
    for path in ["/api/users", "/api/Spaces-1/x", "/api/spaces/Spaces-1/x", "/api/experimental/x"] {
        assert!(!is_allowed(path), "{path}");
    }
}

#[tokio::test]
async fn pinned_space_limits_execute() {
    let server = TestServer::with(|config| {
        config.octopus.space = Some("Warehouse Systems".to_owned());
        config.tools.read_only = false;
    })
    .await;
    for path in ["/api/Spaces-22/projects", "/api/spaces/spaces-22/environments", "/api/users/me"] {
        server.call_ok("execute", get(path)).await;
    }
    server.sample.clear_journal();
    for path in [
        "/api/Spaces-1/projects",
        "/api/spaces/default/projects",
        "/api/projects",
        "/api/tasks",
        "/api/events",
        "/api/spaces",
        "/api/spaces/warehouse-systems/projects",
    ] {
        assert_error_contains(&server, get(path), &["limited to one space", "/api/Spaces-22/"])
            .await;
    }
    let mut wide = get("/api/Spaces-22/tasks");
    wide["query"] = json!({ "Spaces": "Spaces-1" });
    assert_error_contains(&server, wide, &["`spaces`"]).await;
    let path = "/api/Spaces-22/releases/create/v1";
    let arguments = json!({ "method": "POST", "path": path, "body": { "spaceId": "Spaces-1" } });
    assert_error_contains(&server, arguments, &["SpaceId is Spaces-22"]).await;
    assert!(server.sample.journal().is_empty());
}

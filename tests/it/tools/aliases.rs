//! Aliases: former names of tools of the official server, with their former arguments. They return
//! the answer of the tool that replaced them and are not listed.

use octopus_mcp::{app, config::Config};
use serde_json::{Value, json};

use super::checked_server::CheckedServer;

/// Alias, its arguments besides the space, and the tool that serves it with its own arguments.
type Row = (&'static str, Value, &'static str);

fn rows() -> Vec<Row> {
    let page = json!({ "skip": 1, "take": 2 });
    vec![
        ("find_releases", json!({}), "list_releases"),
        ("find_releases", page, "list_releases"),
        ("find_releases", json!({ "releaseId": "Releases-9003" }), "get_release_by_id"),
        (
            "find_releases",
            json!({ "projectId": "Projects-2", "searchByVersion": "2.6", "take": 1 }),
            "list_releases_for_project",
        ),
        ("find_releases", json!({ "projectName": "Route Planner" }), "list_releases_for_project"),
        ("find_tenants", json!({ "tenantId": "Tenants-1" }), "get_tenant_by_id"),
        (
            "find_tenants",
            json!({ "projectId": "Projects-8", "tags": "Tier/Gold,Region/APAC", "take": 5 }),
            "list_tenants",
        ),
        ("find_tenants", json!({ "ids": ["Tenants-1", "Tenants-2"] }), "list_tenants"),
        ("find_tenants", json!({ "partialName": "freight", "skip": 0 }), "list_tenants"),
        // These tools kept their names.
        ("get_latest_deployment", json!({ "projectId": "Projects-1" }), "get_latest_deployment"),
        ("get_release_by_id", json!({ "releaseId": "Releases-9003" }), "get_release_by_id"),
        ("list_releases", json!({ "skip": 1, "take": 2 }), "list_releases"),
        (
            "list_releases_for_project",
            json!({ "projectId": "Projects-5", "skip": 0, "take": 2, "searchByVersion": "5.7" }),
            "list_releases_for_project",
        ),
        ("get_task_by_id", json!({ "taskId": "ServerTasks-90004" }), "get_task_by_id"),
        ("get_task_details", json!({ "taskId": "ServerTasks-90004" }), "get_task_details"),
        ("get_task_raw", json!({ "taskId": "ServerTasks-90004" }), "get_task_raw"),
        (
            "list_tenants",
            json!({ "skip": 0, "take": 3, "projectId": "Projects-8", "tags": "Tier/Gold" }),
            "list_tenants",
        ),
        ("get_tenant_by_id", json!({ "tenantId": "Tenants-5" }), "get_tenant_by_id"),
        (
            "get_deployment_process",
            json!({ "projectId": "Projects-2", "branchName": "main", "includeDetails": true }),
            "get_deployment_process",
        ),
        (
            "find_runbooks",
            json!({ "projectName": "Route Planner", "gitRef": "main", "runbookSlug": "rebuild-route-cache" }),
            "find_runbooks",
        ),
        (
            "list_deployment_targets",
            json!({ "take": 2, "partialName": "web", "roles": ["tracking-web"] }),
            "find_deployment_targets",
        ),
        ("get_deployment_target", json!({ "targetId": "Machines-1" }), "find_deployment_targets"),
        ("list_certificates", json!({ "take": 2 }), "find_certificates"),
        ("get_certificate", json!({ "certificateId": "Certificates-1" }), "find_certificates"),
        ("list_accounts", json!({ "take": 2 }), "find_accounts"),
        ("get_account", json!({ "accountId": "Accounts-1" }), "find_accounts"),
    ]
}

#[tokio::test]
async fn aliases_return_the_answers_of_their_tools() {
    let server = CheckedServer::start().await;
    for (old, arguments, now) in rows() {
        let mut new = arguments.clone();
        new["space"] = json!("Default");
        let expected = server.call_ok(now, new).await;
        // The space argument had each of these names in some version, so all are accepted.
        for space in ["space", "spaceId", "spaceName"] {
            let mut arguments = arguments.clone();
            arguments[space] = json!("Default");
            let answer = server.server.call_ok(old, arguments.clone()).await;
            assert_eq!(answer, expected, "{old} {arguments}");
        }
    }
}

#[tokio::test]
async fn aliases_reject_contradictory_arguments() {
    let server = CheckedServer::start().await;
    for (old, arguments, parts) in [
        (
            "find_releases",
            json!({ "searchByVersion": "1" }),
            "projectId: this argument is required",
        ),
        (
            "find_releases",
            json!({ "releaseId": "Releases-9003", "projectId": "Projects-2" }),
            "unknown argument `projectId`",
        ),
        (
            "find_releases",
            json!({ "releaseId": "Releases-9003", "searchByVersion": "1" }),
            "unknown argument `searchByVersion`",
        ),
        ("find_releases", json!({ "releaseId": "Projects-2" }), "is not a release ID"),
        (
            "find_tenants",
            json!({ "tenantId": "Tenants-1", "partialName": "x" }),
            "unknown argument `partialName`",
        ),
        ("find_tenants", json!({ "tenantId": "Tenants-999" }), "tenant 'Tenants-999' not found"),
        ("find_tenants", json!({ "ids": [] }), "ids: "),
    ] {
        let mut arguments = arguments;
        arguments["spaceName"] = json!("Default");
        server.assert_error_contains(old, arguments, &[parts]).await;
    }
}

#[test]
fn aliases_are_not_listed() {
    let config = Config::default();
    let (catalog, policy) = (app::catalog(), app::tool_access(&config).unwrap());
    let listed: Vec<&str> = catalog.visible(&policy).map(|entry| entry.metadata.name).collect();
    for (old, _, now) in rows() {
        assert_eq!(listed.contains(&old), old == now, "{old}");
        assert!(listed.contains(&now), "{now}");
    }
}

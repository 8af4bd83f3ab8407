//! Rules about reads apply to the resources that a call reads, for every tool.

use serde_json::{Value, json};

use super::{CODE_FLOW, policy_fixture, set_rules};
use crate::{
    approval::CallOutcome,
    support::{ERAS, TestServer},
};

fn read_rule(matcher: &str, name: &str) -> Value {
    json!([{ "name": "secret", "effect": "deny", "tiers": ["read"], matcher: [name] }])
}

#[tokio::test]
async fn no_tool_reads_documents_of_a_denied_project() {
    let fixture = policy_fixture(read_rule("projects", "Parcel Tracking API")).await;
    let calls = |project: &str, release: &str, task: &str| {
        vec![
            ("get_deployment_process", json!({ "space": "Default", "projectId": project })),
            ("get_variables", json!({ "space": "Default", "projectId": project })),
            ("list_releases_for_project", json!({ "space": "Default", "projectId": project })),
            ("get_release_by_id", json!({ "space": "Default", "releaseId": release })),
            ("get_task_by_id", json!({ "space": "Default", "taskId": task })),
            ("get_task_details", json!({ "space": "Default", "taskId": task })),
            ("get_task_raw", json!({ "space": "Default", "taskId": task })),
            ("grep_task_log", json!({ "space": "Default", "taskId": task, "pattern": "." })),
            ("read_resource", json!({ "uri": format!("octopus://spaces/Default/tasks/{task}") })),
            (
                "read_resource",
                json!({ "uri": format!("octopus://spaces/Default/releases/{release}") }),
            ),
            (
                "execute",
                json!({ "method": "GET", "path": format!("/api/Spaces-1/projects/{project}/releases") }),
            ),
            (
                "execute",
                json!({ "method": "GET", "path": format!("/api/Spaces-1/tasks/{task}/raw") }),
            ),
        ]
    };
    // Documents of Parcel Tracking API, then documents of another project.
    for (tool, arguments) in calls("Projects-1", "Releases-9001", "ServerTasks-90001") {
        let outcome = fixture.call(CODE_FLOW, tool, &arguments).await;
        assert!(
            matches!(&outcome, CallOutcome::Failed(message) if message.contains("rule 'secret'")),
            "{tool} {arguments}: {outcome:?}"
        );
    }
    for (tool, arguments) in calls("Projects-4", "Releases-9007", "ServerTasks-90008") {
        let outcome = fixture.call(CODE_FLOW, tool, &arguments).await;
        assert!(
            !matches!(&outcome, CallOutcome::Failed(message) if message.contains("rule")),
            "{tool} {arguments}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn denied_space_is_hidden_from_tools_resources_and_errors() {
    let server =
        TestServer::with(|config| set_rules(config, &read_rule("spaces", "warehouse systems")))
            .await;
    for space in ["Warehouse Systems", "Spaces-22"] {
        for (tool, arguments) in [
            ("list_projects", json!({ "space": space })),
            ("list_environments", json!({ "space": space })),
            // Name suggestions in an error would reveal the space as well.
            ("get_variables", json!({ "space": space, "projectId": "Pick and Pak" })),
        ] {
            let message = server.call_error(tool, arguments).await;
            assert!(
                message.contains("rule 'secret'") && !message.contains("Pick and Pack"),
                "{message}"
            );
        }
        for era in ERAS {
            let params = json!({ "uri": format!("octopus://spaces/{space}").replace(' ', "%20") });
            let reply = server.rpc(era, "resources/read", params).await;
            assert!(reply.text.contains("rule 'secret'"), "{}", reply.text);
        }
    }
    server.call_ok("list_projects", json!({ "space": "Default" })).await;
}

#[tokio::test]
async fn matchers_apply_to_single_documents() {
    for (matcher, name, denied, open) in [
        // ServerTasks-90008 deploys to Production for Brightwater Couriers.
        ("environments", "Production", "ServerTasks-90008", None),
        ("environment_tags", "Stage/*", "ServerTasks-90008", None),
        ("tenants", "Brightwater Couriers", "ServerTasks-90008", Some("ServerTasks-90001")),
        ("tenant_tags", "Tier/Gold", "ServerTasks-90008", Some("ServerTasks-90001")),
        ("project_groups", "Customer Platform", "ServerTasks-90001", None),
    ] {
        let fixture = policy_fixture(read_rule(matcher, name)).await;
        let read = |task: &str| json!({ "space": "Default", "taskId": task });
        fixture
            .call(CODE_FLOW, "get_task_by_id", &read(denied))
            .await
            .expect_error("rule 'secret'");
        if let Some(open) = open {
            fixture.call(CODE_FLOW, "get_task_by_id", &read(open)).await.expect_result();
        }
    }
}

/// `execute` accepts every identifier that Octopus accepts: slugs, and the parameters of lists.
#[tokio::test]
async fn rejects_denied_project_by_slug_or_parameter() {
    let get = |path: &str, query: Value| json!({ "method": "GET", "path": path, "query": query });
    for (path, query, rejected) in [
        ("/api/Spaces-1/projects/parcel-tracking-api", json!({}), true),
        ("/api/Spaces-1/projects/Parcel-Tracking-API/releases", json!({}), true),
        ("/api/spaces/default/projects/parcel-tracking-api", json!({}), true),
        ("/api/Spaces-1/projects", json!({ "ids": "Projects-2,Projects-1" }), true),
        ("/api/Spaces-1/projects/all", json!({ "ids": "projects-1" }), true),
        ("/api/Spaces-1/releases", json!({ "projects": "Projects-2, Projects-1" }), true),
        ("/api/Spaces-1/deployments", json!({ "Projects": "Projects-1", "take": 1 }), true),
        ("/api/Spaces-1/tasks", json!({ "project": "parcel-tracking-api" }), true),
        ("/api/Spaces-1/runbooks/all", json!({ "projectIds": "Projects-1" }), true),
        ("/api/Spaces-1/projects", json!({ "ids": "Projects-2" }), false),
        ("/api/Spaces-1/deployments", json!({ "projects": "Projects-4" }), false),
        ("/api/Spaces-1/projects/Projects-4", json!({}), false),
    ] {
        let fixture = policy_fixture(read_rule("projects", "Parcel Tracking API")).await;
        let call = get(path, query);
        let outcome = fixture.call(CODE_FLOW, "execute", &call).await;
        let is_rejected =
            matches!(&outcome, CallOutcome::Failed(message) if message.contains("rule 'secret'"));
        assert_eq!(is_rejected, rejected, "{call}: {outcome:?}");
    }
}

/// A path without a space refers to the default space, and a slug to a project there.
#[tokio::test]
async fn slug_without_space_resolves_in_default_space() {
    let fixture = policy_fixture(read_rule("projects", "Parcel Tracking API")).await;
    for (path, query) in [
        ("/api/projects/parcel-tracking-api/releases", json!({})),
        ("/api/projects/Projects-1/progression", json!({})),
        ("/api/projects/Projects-1/git/branches", json!({})),
        ("/api/releases", json!({ "projects": "parcel-tracking-api" })),
        ("/api/deployments", json!({ "projects": "Projects-1" })),
        ("/api/tasks", json!({ "project": "Projects-1" })),
        ("/api/events", json!({ "projects": "Projects-1", "spaces": "Spaces-1" })),
    ] {
        let call = json!({ "method": "GET", "path": path, "query": query });
        fixture.call(CODE_FLOW, "execute", &call).await.expect_error("rule 'secret'");
    }
}

/// A list of a whole space is evaluated by its space, and rules about changes do not apply to
/// reads.
#[tokio::test]
async fn lists_match_by_space_and_write_rules_skip_reads() {
    let list = json!([
        { "name": "secret", "effect": "deny", "tiers": ["read"], "projects": ["Parcel Tracking API"] },
        { "name": "changes", "effect": "deny" },
    ]);
    let fixture = policy_fixture(list).await;
    let listed = fixture
        .call(CODE_FLOW, "list_projects", &json!({ "space": "Default" }))
        .await
        .expect_result();
    assert!(listed.to_string().contains("Parcel Tracking API"), "{listed}");
    let arguments = json!({ "space": "Default", "projectId": "Projects-4" });
    fixture.call(CODE_FLOW, "get_deployment_process", &arguments).await.expect_result();
}

/// Without rules about reads no additional requests are sent for them.
#[tokio::test]
async fn write_rules_add_no_requests_to_reads() {
    let mut counts = Vec::new();
    for list in
        [json!([]), json!([{ "name": "r", "effect": "deny", "environments": ["Production"] }])]
    {
        let fixture = policy_fixture(list).await;
        fixture.server.sample.clear_journal();
        let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90001" });
        fixture.call(CODE_FLOW, "get_task_details", &arguments).await.expect_result();
        counts.push(fixture.server.sample.journal().len());
    }
    assert_eq!(counts[0], counts[1]);
}

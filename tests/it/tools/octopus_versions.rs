//! Responses of older and newer Octopus versions: missing keys, `null` in place of a list or
//! boolean, and unknown values and keys.

use octopus_sample::keys;
use serde_json::{Value, json};

use super::{arguments::sample_calls, checked_server::CheckedServer};
use crate::support::wait_until_some;

/// Returns each collection with a minimal document and with a document that has every optional
/// field.
fn minimal_and_full_documents() -> Vec<(&'static str, Value, Value)> {
    vec![
        (
            "projects",
            json!({ "Id": "Projects-1", "Name": "Bare" }),
            json!({
                "Id": "Projects-1", "Name": "Bare", "Slug": null, "Description": null, "IsDisabled": null,
                "LifecycleId": null, "IsVersionControlled": null, "ProjectGroupId": null,
                "TenantedDeploymentMode": "Sometimes", "PersistenceSettings": { "Type": "Cloud", "Url": null },
            }),
        ),
        (
            "environments",
            json!({ "Id": "Environments-1", "Name": "Bare" }),
            json!({
                "Id": "Environments-1", "Name": "Bare", "Slug": null, "Description": null, "SortOrder": null,
                "UseGuidedFailure": null, "AllowDynamicInfrastructure": null, "ExtensionSettings": null,
                "Type": "Ephemeral",
            }),
        ),
        (
            "releases",
            json!({ "Id": "Releases-1", "Version": "1", "ProjectId": "Projects-1" }),
            json!({
                "Id": "Releases-1", "Version": "1", "ProjectId": "Projects-1", "ChannelId": null,
                "ReleaseNotes": null, "IgnoreChannelRules": null, "VersionControlReference": { "GitRef": null },
                "SelectedPackages": null, "SelectedGitResources": null, "BuildInformation": null,
                "CustomFields": null, "Assembled": null,
            }),
        ),
        (
            "tenants",
            json!({ "Id": "Tenants-1", "Name": "Bare" }),
            json!({
                "Id": "Tenants-1", "Name": "Bare", "Slug": null, "Description": null, "IsDisabled": null,
                "TenantTags": null, "ProjectEnvironments": null, "ClonedFromTenantId": null, "Icon": {},
            }),
        ),
        (
            "deployments",
            json!({
                "Id": "Deployments-1", "ReleaseId": "Releases-9002", "ProjectId": "Projects-1",
                "EnvironmentId": "Environments-1", "TaskId": "ServerTasks-1",
            }),
            json!({
                "Id": "Deployments-1", "ReleaseId": "Releases-9002", "ProjectId": "Projects-1",
                "EnvironmentId": "Environments-1", "TaskId": "ServerTasks-1", "TenantId": null,
                "ChannelId": null, "Created": null, "FormValues": null, "UseGuidedFailure": null,
                "SpecificMachineIds": null, "ExcludedMachineIds": null, "SkipActions": null,
                "ForcePackageDownload": null, "ForcePackageRedeployment": null, "Priority": "Loud",
                "FailureEncountered": null, "Comments": null, "QueueTime": null,
            }),
        ),
    ]
}

#[tokio::test]
async fn shows_documents_with_few_fields() {
    let server = CheckedServer::start().await;
    for (collection, bare, full) in minimal_and_full_documents() {
        for document in [bare, full] {
            let id = document["Id"].clone();
            // Lists of some versions have no total count.
            server
                .mock_response(&format!("/Spaces-1/{collection}"), &json!({ "Items": [document] }));
            let tool = format!("list_{collection}");
            let list = server.call_ok(&tool, json!({ "space": "Default" })).await;
            assert_eq!(list["items"][0]["id"], id, "{tool}");
            server.server.sample.faults().clear();
        }
    }
}

#[tokio::test]
async fn shows_tasks_with_few_fields() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let nulls = json!({
        "Id": "ServerTasks-90004", "SpaceId": null, "Name": null, "State": "Resting", "Arguments": null,
        "IsCompleted": null, "FinishedSuccessfully": null, "HasWarningsOrErrors": null,
        "HasPendingInterruptions": null, "PendingInterruptionTypes": null, "CanRerun": null,
        "ErrorMessage": "", "ProjectId": null, "UnmetPreconditions": null,
    });
    for task in [json!({ "Id": "ServerTasks-90004" }), nulls] {
        server.mock_response(
            "/tasks/ServerTasks-90004/details",
            &json!({ "Task": task, "ActivityLogs": null, "Progress": null }),
        );
        server.mock_response("/tasks/ServerTasks-90004", &task);
        let shown = server.call_ok("get_task_by_id", arguments.clone()).await;
        assert_eq!((&shown["isCompleted"], shown.get("errorMessage")), (&json!(false), None));
        let details = server.call_ok("get_task_details", arguments.clone()).await;
        assert_eq!((&details["failures"], &details["activityLogs"]), (&json!([]), &json!([])));
        server.server.sample.faults().clear();
    }
}

#[tokio::test]
async fn shows_unknown_status_and_category() {
    let server = CheckedServer::start().await;
    let tree = json!([{ "Name": null, "Status": "Pondering", "Children": [{ "Name": "x", "Status": null }],
        "LogElements": [{ "Category": "Whisper", "MessageText": "hm", "OccurredAt": null }, { "MessageText": null }] }]);
    server.mock_response(
        "/details",
        &json!({ "Task": { "Id": "ServerTasks-90004" }, "ActivityLogs": tree }),
    );
    let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let details = server.call_ok("get_task_details", arguments).await;
    assert_eq!(details["activityLogs"][0]["status"], "Pondering");
    assert_eq!(details["activityLogs"][0]["messages"][0], "Whisper: hm");
}

#[tokio::test]
async fn tools_work_on_old_versions_or_name_requirement() {
    for version in ["2021.1.0", "2024.4.1", "2025.2.9", "0.0.0-local"] {
        let server = CheckedServer::with_version(version).await;
        for (tool, mut arguments) in sample_calls() {
            // Old versions keep these in the database, not in Git.
            if ["get_deployment_process", "get_variables", "find_runbooks"].contains(&tool) {
                arguments["projectId"] = json!("Parcel Tracking API");
            }
            let needs = match tool {
                "get_branches" if version.starts_with("2021.1.") => "needs Octopus 2021.2 or later",
                "get_kubernetes_live_status" => "needs Octopus 2025.3 or later",
                "find_feature_toggles" => "needs Octopus 2026.1.10655 or later",
                "grep_llms_txt" => "needs Octopus 2026.2.3916 or later",
                _ => "",
            };
            if !needs.is_empty() && version != "0.0.0-local" {
                server.assert_error_contains(tool, arguments, &[needs]).await;
            } else {
                server.call_ok(tool, arguments).await;
            }
        }
    }
}

#[tokio::test]
async fn shows_tenant_variables_with_few_fields() {
    let server = CheckedServer::start().await;
    let variable = json!({ "TenantId": "Tenants-1", "Variables": [{ "Value": null, "Scope": null, "Template": null }],
        "MissingVariables": null });
    server.mock_response("commonvariables", &variable);
    server.mock_response("projectvariables", &json!({}));
    let arguments = json!({ "space": "Default", "tenant": "Tenants-1", "variableType": "all" });
    let shown = server.call_ok("get_tenant_variables", arguments).await;
    assert_eq!(shown["variables"][0]["hasValue"], false);
    server.mock_response(
        "variables-missing",
        &json!([{ "TenantId": "Tenants-1", "MissingVariables": null }]),
    );
    let arguments = json!({ "space": "Default", "includeDetails": true });
    let missing = server.call_ok("get_missing_tenant_variables", arguments).await;
    assert_eq!(missing["missingVariables"][0]["missingVariables"], json!([]));
}

#[tokio::test]
async fn upgrade_enables_refused_tool_soon() {
    let server = CheckedServer::with_version("2024.4.1").await;
    let arguments = json!({ "space": "Default", "projectId": "Route Planner" });
    let tool = "find_feature_toggles";
    let needs = ["needs Octopus 2026.1.10655 or later; this instance is 2024.4.1"];
    server.assert_error_contains(tool, arguments.clone(), &needs).await;
    server.server.sample.change_version(octopus_sample::VERSION);
    let found = wait_until_some(async || {
        let called = server.server.call_as(keys::ADMIN, tool, arguments.clone()).await;
        (!called.is_error).then_some(called)
    });
    assert!(found.await.structured["items"].is_array());
    let question = json!({ "tool": tool, "space": "Default" });
    let explained = server.server.call_as(keys::ADMIN, "explain_access", question).await;
    assert!(!explained.text.contains("needs Octopus"), "{}", explained.text);
}

#[tokio::test]
async fn missing_path_makes_the_version_be_read_again() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Default", "projectId": "Route Planner" });
    let tool = "find_feature_toggles";
    server.call_ok_once(tool, arguments.clone()).await;
    server.server.sample.change_version("2024.4.1");
    let refused = wait_until_some(async || {
        let called = server.server.call_as(keys::ADMIN, tool, arguments.clone()).await;
        called.text.contains("needs Octopus 2026.1.10655 or later").then_some(called)
    });
    assert!(refused.await.is_error);
}

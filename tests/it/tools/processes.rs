//! `get_deployment_process`.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot};

const TOOL: &str = "get_deployment_process";

async fn process(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok(TOOL, arguments).await
}

async fn assert_rejected(server: &CheckedServer, mut arguments: Value, parts: &[&str]) {
    arguments["space"] = json!("Default");
    server.assert_error_contains(TOOL, arguments, parts).await;
}

fn steps(process: &Value) -> Vec<&str> {
    process["steps"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn reads_process_of_project_and_of_release() {
    let server = CheckedServer::start().await;
    let live = process(&server, json!({ "projectId": "parcel tracking api" })).await;
    assert_eq!(live["id"], "deploymentprocess-Projects-1");
    assert_eq!(live["project"], json!({ "id": "Projects-1", "name": "Parcel Tracking API" }));
    assert_eq!(steps(&live), ["Deploy tracking service", "Smoke test"]);
    assert_eq!(live["steps"][0]["targetRoles"], json!(["tracking-web"]));
    assert_eq!(live.get("gitRef"), None);
    assert!(!live.to_string().contains("properties"), "{live}");
    for id in ["deploymentprocess-Projects-1", " DeploymentProcess-projects-1"] {
        assert_eq!(process(&server, json!({ "processId": id })).await, live, "{id}");
        let both = json!({ "processId": id, "projectId": "Projects-1" });
        assert_eq!(process(&server, both).await, live, "{id}");
    }
    let taken = live["lastSnapshotId"].as_str().unwrap();
    let fixed = process(&server, json!({ "processId": taken })).await;
    assert_eq!((&fixed["id"], &fixed["project"]), (&json!(taken), &live["project"]));
    let both = json!({ "processId": taken, "projectName": "Parcel Tracking API" });
    assert_eq!(process(&server, both).await, fixed);
    assert_snapshot(TOOL, &process(&server, json!({ "projectId": "Billing Engine" })).await);
}

#[tokio::test]
async fn reads_ids_of_the_former_format() {
    let server = CheckedServer::start().await;
    let old = json!({ "Id": "DeploymentProcesses-7", "Steps": null });
    server.mock_response("/deploymentprocesses/DeploymentProcesses-7", &old);
    let found = process(&server, json!({ "processId": "deploymentprocesses-7" })).await;
    assert_eq!((&found["id"], &found["steps"]), (&json!("DeploymentProcesses-7"), &json!([])));
    assert_eq!(found.get("project"), None);
}

#[tokio::test]
async fn reads_git_process_at_exact_reference() {
    let server = CheckedServer::start().await;
    let usual = process(&server, json!({ "projectId": "Route Planner" })).await;
    assert_eq!(usual["gitRef"], "refs/heads/main");
    assert_eq!(steps(&usual).len(), 3);
    assert_eq!(usual["steps"][0]["actions"][0]["environments"][0]["name"], "Production");
    let by_id = json!({ "processId": "deploymentprocess-Projects-2" });
    assert_eq!(process(&server, by_id).await, usual);
    let release = json!({ "space": "Default", "releaseId": "Releases-9003" });
    let release = server.call_ok("get_release_by_id", release).await;
    let commit = release["versionControlReference"]["gitCommit"].as_str().unwrap().to_owned();
    for (given, read, count) in [
        ("main", "refs/heads/main", 3),
        ("refs/heads/main", "refs/heads/main", 3),
        ("feature/electric-vans", "refs/heads/feature/electric-vans", 4),
        ("feature/x", "refs/heads/feature/x", 3),
        ("maintenance/2.5", "refs/heads/maintenance/2.5", 3),
        ("v2.6.0", "refs/tags/v2.6.0", 3),
        ("refs/tags/v2.6.0", "refs/tags/v2.6.0", 3),
        (&commit, &commit, 3),
    ] {
        for name in ["gitRef", "branchName", "branch"] {
            let found = process(&server, json!({ "projectId": "Projects-2", name: given })).await;
            assert_eq!(found["gitRef"], read, "{given}");
            assert_eq!(steps(&found).len(), count, "{given}");
        }
    }
    server.take_requests();
    process(&server, json!({ "projectId": "Projects-2", "gitRef": "feature/x/y" })).await;
    let one = "/projects/Projects-2/refs%2Fheads%2Ffeature%2Fx%2Fy/deploymentprocesses?";
    assert!(
        server.take_requests().iter().any(|path| path.ends_with(one)),
        "the reference is one encoded path segment"
    );
}

#[tokio::test]
async fn unknown_git_reference_is_not_the_default_branch() {
    let server = CheckedServer::start().await;
    for (reference, near) in [
        ("mai", "'main'"),
        ("mainn", "'main'"),
        ("refs/heads/v2.6.0", "get_branches"),
        ("refs/tags/main", "get_branches"),
        ("refs/remotes/main", "get_branches"),
        ("0123456789abcdef0123456789abcdef01234567", "get_branches"),
        ("../../users", "get_branches"),
        ("main?x=1", "'main'"),
        (" ", "get_branches"),
    ] {
        let arguments = json!({ "projectId": "Projects-2", "branchName": reference });
        let expected = format!("branch, tag or commit '{}' not found", reference.trim());
        assert_rejected(&server, arguments, &[&expected, near]).await;
    }
}

fn project_with_default_branch(default_branch: Option<&str>) -> Value {
    json!({
        "Id": "Projects-2", "Name": "Route Planner", "IsVersionControlled": true,
        "PersistenceSettings": { "Type": "VersionControlled", "DefaultBranch": default_branch },
    })
}

#[tokio::test]
async fn reports_missing_default_branch() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Default", "projectId": "Projects-2" });
    for tool in [TOOL, "get_variables", "find_runbooks"] {
        let mut project = project_with_default_branch(Some("maine"));
        project["PersistenceSettings"]["ConversionState"] =
            json!({ "RunbooksAreInGit": true, "VariablesAreInGit": true });
        let once = Fault::on("/projects/Projects-2").times(1).body(&project.to_string());
        server.server.sample.faults().add(once);
        let called = server.server.call_as(keys::ADMIN, tool, arguments.clone()).await;
        for parts in ["branch, tag or commit 'refs/heads/maine' not found", "'main'"] {
            assert!(called.is_error && called.text.contains(parts), "{tool}: {}", called.text);
        }
    }
    let list = json!({ "TotalResults": 1, "Items": [project_with_default_branch(None)] });
    server.mock_response("/Spaces-1/projects", &list);
    let parts = ["'Route Planner' is in Git", "no default branch", "`gitRef`"];
    assert_rejected(&server, json!({ "projectId": "Route Planner" }), &parts).await;
}

#[tokio::test]
async fn rejects_contradictory_arguments() {
    let server = CheckedServer::start().await;
    assert_rejected(&server, json!({}), &["`projectId`", "`processId`"]).await;
    for id in ["Projects-1", "7", "deploymentprocess-Projects-1/../x"] {
        let parts = ["is not a deployment process ID", "'deploymentprocess-Projects-123'"];
        assert_rejected(&server, json!({ "processId": id }), &parts).await;
    }
    let arguments = json!({ "processId": "deploymentprocess-Projects-2", "branchName": "main" });
    assert_rejected(&server, arguments, &["`processId`", "only `projectId` and `gitRef`"]).await;
    assert_eq!(
        server.take_requests(),
        Vec::<String>::new(),
        "invalid arguments are rejected before any request"
    );
    let arguments = json!({ "projectId": "Billing Engine", "branchName": "main" });
    assert_rejected(
        &server,
        arguments,
        &["the process of 'Billing Engine' is stored in the database"],
    )
    .await;
    let release = process(&server, json!({ "projectId": "Projects-1" })).await;
    for id in ["deploymentprocess-Projects-1", release["lastSnapshotId"].as_str().unwrap()] {
        let arguments = json!({ "processId": id, "projectId": "Billing Engine" });
        assert_rejected(&server, arguments, &["is not a process of 'Billing Engine'"]).await;
    }
    let arguments = json!({ "processId": "deploymentprocess-Projects-1-s-1-XXXXX" });
    assert_rejected(&server, arguments, &["deployment process '", "' not found", "list_projects"])
        .await;
    let arguments = json!({ "processId": "deploymentprocess-Projects-999" });
    assert_rejected(&server, arguments, &["project 'Projects-999' not found"]).await;
}

#[tokio::test]
async fn details_include_properties_without_secrets() {
    let server = CheckedServer::start().await;
    let action = json!({
        "Id": "a", "Name": "Deploy", "ActionType": "Octopus.Script", "Environments": ["Environments-3"],
        "ExcludedEnvironments": ["Environments-2"], "Channels": ["Channels-1"],
        "TenantTags": ["Tier/Gold"], "Links": { "Self": "/x" }, "WorkerPoolVariable": "",
        "Container": { "Image": "alpine:3", "FeedId": "Feeds-1", "GitUrl": null },
        "Packages": [{ "Name": "", "PackageId": "Web", "Properties": { "A": "b", "C": null } }],
        "GitDependencies": [{ "Name": "", "RepositoryUri": "https://git.example/x", "Links": {} }],
        "Inputs": { "Token": { "HasValue": true, "NewValue": "hidden-one", "Hint": "hidden-two" } },
        "Properties": {
            "Octopus.Action.Script.ScriptBody": "export A=1\necho API-FAKEFAKEFAKEFAKEFAKEFAKE",
            "Octopus.Action.Azure.Key": { "HasValue": true, "NewValue": "hidden-three" },
            "Octopus.Action.Email.Password": "Tr0ub4dor&3-plain",
            "Octopus.Action.RunOnServer": "true",
        },
    });
    let step = json!({
        "Id": "s", "Name": "Deploy", "Condition": "Success", "Actions": [action],
        "Properties": { "Octopus.Action.TargetRoles": "web, api" },
    });
    let body = json!({ "Id": "deploymentprocess-Projects-1", "ProjectId": "Projects-1",
        "Version": 3, "Steps": [step] });
    server.mock_response("/deploymentprocesses/deploymentprocess-Projects-1", &body);
    let arguments = json!({ "projectId": "Projects-1", "includeDetails": true });
    let found = process(&server, arguments).await;
    let step = &found["steps"][0];
    assert_eq!(step["targetRoles"], json!(["web", "api"]));
    let action = &step["actions"][0];
    assert_eq!(action["environments"][0]["name"], "Production");
    assert_eq!(action["excludedEnvironments"][0]["name"], "Staging");
    assert_eq!(action["channels"][0]["name"], "Default");
    assert_eq!(action["container"], json!({ "image": "alpine:3", "feedId": "Feeds-1" }));
    assert_eq!(action["packages"][0], json!({ "packageId": "Web", "properties": { "A": "b" } }));
    assert_eq!(action["gitDependencies"][0]["repositoryUri"], "https://git.example/x");
    let properties = &action["properties"];
    let hidden = json!({ "isSensitive": true, "hasValue": true });
    assert_eq!(properties["Octopus.Action.Azure.Key"], hidden);
    assert_eq!(properties["Octopus.Action.RunOnServer"], "true");
    assert_eq!(action["inputs"]["token"], hidden);
    let text = found.to_string();
    for secret in ["hidden-", "FAKEFAKE", "Tr0ub4dor"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let plain = process(&server, json!({ "projectId": "Projects-1" })).await;
    assert!(
        !plain.to_string().contains("ScriptBody") && plain["steps"][0].get("properties").is_none()
    );
}

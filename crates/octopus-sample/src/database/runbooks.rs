//! Runbooks, their processes and snapshots.

use serde_json::{Map, Value, json};

use super::collection::Collection;
use super::configuration::{by_name, collection, complete};
use super::fixtures::{self, resources};
use crate::random::{token, uuid};

/// A runbook in Git.
pub(crate) struct GitRunbook {
    /// Branches that contain it.
    pub(crate) branches: Vec<String>,
    /// The runbook, with the placeholder `{gitRef}` in its links.
    pub(crate) body: Value,
    /// Its process, with the placeholder `{gitRef}` in its links.
    pub(crate) process: Value,
}

/// Returns the ID of the process of a runbook.
pub(crate) fn process_id(runbook_id: &str) -> String {
    format!("RunbookProcess-{runbook_id}")
}

pub(super) fn runbooks() -> Collection {
    let bodies = resources(fixtures::RUNBOOKS).into_iter().map(|mut runbook| {
        runbook.remove("Steps");
        let (id, space, project) = names(&runbook);
        complete(&mut runbook, common(&process_id(&id)));
        let (path, process) = (format!("/api/{space}/runbooks/{id}"), process_id(&id));
        let process = format!("/api/{space}/runbookProcesses/{process}");
        let links = json!({
            "Self": path,
            "Project": format!("/api/{space}/projects/{project}"),
            "RunbookProcesses": process,
            "RunbookSnapshots": format!("{path}/runbookSnapshots{{?skip,take,searchByName}}"),
            "RunbookEnvironments": format!("{path}/environments"),
            "RunbookRunTemplate": format!("{path}/runbookRunTemplate"),
            "RunbookSnapshotTemplate": format!("{process}/runbookSnapshotTemplate"),
            "RunbookRunPreview": format!("{path}/runbookRuns/preview/{{environment}}{{?includeDisabledSteps}}"),
            "DashboardItemsOverview": format!("/api/{space}/progression/runbooks/{id}"),
            "Web": format!("/app#/{space}/projects/{project}/operations/runbooks/{id}"),
        });
        complete(&mut runbook, json!({ "Links": links }));
        Value::Object(runbook)
    });
    by_name(&Collection::new(bodies))
}

pub(super) fn processes() -> Collection {
    let bodies = resources(fixtures::RUNBOOKS).into_iter().map(|runbook| {
        let (id, space, project) = names(&runbook);
        let process = process_id(&id);
        let path = format!("/api/{space}/runbookProcesses/{process}");
        let mut body = process_body(&runbook, &process, &id);
        let links = json!({
            "Self": path,
            "Runbook": format!("/api/{space}/runbooks/{id}"),
            "Project": format!("/api/{space}/projects/{project}"),
            "RunbookSnapshotTemplate": format!("{path}/runbookSnapshotTemplate"),
        });
        complete(&mut body, json!({ "Links": links }));
        Value::Object(body)
    });
    Collection::new(bodies)
}

pub(super) fn snapshots() -> Collection {
    let snapshots = collection(fixtures::RUNBOOK_SNAPSHOTS, |id, space, fixture| {
        let text = |key: &str| fixture.get(key).and_then(Value::as_str).unwrap_or_default();
        let (runbook, project) = (text("RunbookId"), text("ProjectId"));
        let number = id.rsplit('-').next().unwrap_or_default();
        let mark = token(id, 5).to_uppercase();
        let variables = format!("variableset-{project}-s-{number}-{mark}");
        let path = format!("/api/{space}/runbookSnapshots/{id}");
        json!({
            "FrozenRunbookProcessId": format!("{}-s-{number}-{mark}", process_id(runbook)),
            "FrozenProjectVariableSetId": variables, "ProjectVariableSetSnapshotId": variables,
            "LibraryVariableSetSnapshotIds": [], "SelectedPackages": [],
            "SelectedGitResources": [], "GitReference": null,
            "Links": {
                "Self": path,
                "Project": format!("/api/{space}/projects/{project}"),
                "Runbook": format!("/api/{space}/runbooks/{runbook}"),
                "RunbookRuns": format!("{path}/runbookRuns{{?skip,take}}"),
                "RunbookRunTemplate": format!("{path}/runbookRuns/template"),
                "RunbookRunPreview": format!("{path}/runbookRuns/preview/{{environment}}{{?includeDisabledSteps}}"),
                "SnapshotVariables": format!("{path}/snapshot-variables"),
                "Web": format!("/app#/{space}/projects/{project}/operations/runbooks/{runbook}/snapshots/{id}"),
            },
        })
    });
    // Newest first.
    snapshots.sorted_by(|snapshot| std::cmp::Reverse(snapshot.text("Assembled").to_owned()))
}

/// Returns the runbooks in Git. Their slug is their ID, and they have no snapshots.
pub(super) fn in_git() -> Vec<GitRunbook> {
    let runbooks = resources(fixtures::GIT_RUNBOOKS).into_iter().map(|mut runbook| {
        let branches = runbook.remove("Branches").unwrap_or_default();
        let slug = runbook.get("Slug").and_then(Value::as_str).unwrap_or_default().to_owned();
        let (_, space, project) = names(&runbook);
        let project = format!("/api/{space}/projects/{project}");
        let path = format!("{project}/{{gitRef}}/runbooks/{slug}");
        let process_path = format!("{project}/{{gitRef}}/runbookProcesses/{slug}");
        let mut process = process_body(&runbook, &slug, &slug);
        let links = json!({ "Self": process_path, "Runbook": path, "Project": project });
        complete(&mut process, json!({ "Links": links }));
        runbook.remove("Steps");
        let links = json!({
            "Self": path, "Project": project, "RunbookProcesses": process_path,
            "RunbookEnvironments": format!("{path}/environments"),
            "RunbookRunTemplate": format!("{path}/runbookRunTemplate"),
            "RunbookRunPreview": format!("{path}/runbookRuns/preview/{{environment}}{{?includeDisabledSteps}}"),
        });
        complete(&mut runbook, common(&slug));
        let rest = json!({ "Id": slug, "PublishedRunbookSnapshotId": null, "Links": links });
        complete(&mut runbook, rest);
        GitRunbook {
            branches: serde_json::from_value(branches).unwrap_or_default(),
            body: Value::Object(runbook),
            process: Value::Object(process),
        }
    });
    let mut runbooks: Vec<GitRunbook> = runbooks.collect();
    runbooks.sort_by_cached_key(|runbook| runbook.body.get("Name").map(ToString::to_string));
    runbooks
}

fn names(runbook: &Map<String, Value>) -> (String, String, String) {
    let text = |key| runbook.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("Id"), text("SpaceId"), text("ProjectId"))
}

/// Returns the fields that all runbooks share.
fn common(process: &str) -> Value {
    json!({
        "RunbookProcessId": process,
        "ConnectivityPolicy": {
            "SkipMachineBehavior": "None", "TargetRoles": [],
            "AllowDeploymentsToNoTargets": true, "ExcludeUnhealthyTargets": false,
        },
        "DefaultGuidedFailureMode": "EnvironmentDefault",
        "RunRetentionPolicy": {
            "Strategy": "Count", "Unit": "Items", "QuantityToKeep": 100, "ShouldKeepForever": false,
        },
        "ForcePackageDownload": false, "FailTargetDiscovery": false, "CancelQueuedTasks": false,
        "CancelRunningTasks": false, "RunbookTags": [],
    })
}

fn process_body(runbook: &Map<String, Value>, id: &str, runbook_id: &str) -> Map<String, Value> {
    let steps = runbook.get("Steps").and_then(Value::as_array).into_iter().flatten();
    let steps = steps.map(|step| {
        let own = |key: &str| step.get(key).and_then(Value::as_str).unwrap_or_default();
        let (name, slug) = (own("Name"), own("Slug"));
        let targets = match own("Role") {
            "" => json!({}),
            role => json!({ "Octopus.Action.TargetRoles": role }),
        };
        json!({
            "Id": uuid(&format!("{id}/{slug}/step")), "Name": name, "Slug": slug,
            "PackageRequirement": "LetOctopusDecide", "Properties": targets,
            "Condition": "Success", "StartTrigger": "StartAfterPrevious",
            "Actions": [{
                "Id": uuid(&format!("{id}/{slug}")), "Name": name,
                "ActionType": "Octopus.Script", "Notes": null, "IsDisabled": false,
                "CanBeUsedForProjectVersioning": false, "IsRequired": false, "WorkerPoolId": null,
                "Container": { "Image": null, "FeedId": null, "GitUrl": null, "Dockerfile": null },
                "WorkerPoolVariable": "", "Environments": [], "ExcludedEnvironments": [],
                "Channels": [], "TenantTags": [], "Packages": [], "GitDependencies": [],
                "Condition": "Success",
                "Properties": {
                    "Octopus.Action.Script.ScriptSource": "Inline",
                    "Octopus.Action.Script.Syntax": own("Syntax"),
                    "Octopus.Action.Script.ScriptBody": own("Script"),
                },
                "StepPackageVersion": "", "Inputs": null, "Slug": slug, "Links": {},
            }],
        })
    });
    let mut body = Map::new();
    let (_, space, project) = names(runbook);
    complete(
        &mut body,
        json!({
            "Id": id, "SpaceId": space, "RunbookId": runbook_id, "ProjectId": project,
            "Version": 3, "LastSnapshotId": null, "Steps": steps.collect::<Vec<_>>(),
        }),
    );
    body
}

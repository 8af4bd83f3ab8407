//! Runbooks, their processes and snapshots.

use serde_json::{Map, Value, json};

use super::collection::Collection;
use super::configuration::{by_name, complete, linked};
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

/// Returns the current processes, and the frozen processes of the snapshots.
pub(super) fn processes() -> Collection {
    let frozen = resources(fixtures::RUNBOOK_SNAPSHOTS);
    let frozen = frozen.iter().filter_map(frozen_process);
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
    Collection::new(bodies.chain(frozen))
}

/// Returns the process of a snapshot: the current one without the steps that were added later.
fn frozen_process(snapshot: &Map<String, Value>) -> Option<Value> {
    let id = frozen_process_id(snapshot);
    let later = snapshot.get("LaterSteps").and_then(Value::as_array).into_iter().flatten();
    let later: Vec<&Value> = later.collect();
    let mut runbooks = resources(fixtures::RUNBOOKS).into_iter();
    let mut runbook = runbooks.find(|runbook| runbook.get("Id") == snapshot.get("RunbookId"))?;
    if let Some(steps) = runbook.get_mut("Steps").and_then(Value::as_array_mut) {
        steps.retain(|step| !step.get("Name").is_some_and(|name| later.contains(&name)));
    }
    let (runbook_id, space, project) = names(&runbook);
    let mut body = process_body(&runbook, &id, &runbook_id);
    let links = json!({
        "Self": format!("/api/{space}/runbookProcesses/{id}"),
        "Runbook": format!("/api/{space}/runbooks/{runbook_id}"),
        "Project": format!("/api/{space}/projects/{project}"),
    });
    complete(&mut body, json!({ "Links": links }));
    Some(Value::Object(body))
}

fn frozen_process_id(snapshot: &Map<String, Value>) -> String {
    let text = |key: &str| snapshot.get(key).and_then(Value::as_str).unwrap_or_default();
    let (id, runbook) = (text("Id"), text("RunbookId"));
    let number = id.rsplit('-').next().unwrap_or_default();
    format!("{}-s-{number}-{}", process_id(runbook), token(id, 5).to_uppercase())
}

pub(super) fn snapshots() -> Collection {
    let bodies = resources(fixtures::RUNBOOK_SNAPSHOTS).into_iter().map(|mut fixture| {
        let process = frozen_process_id(&fixture);
        fixture.remove("LaterSteps");
        linked(fixture, |id, space, fixture| snapshot_rest(id, space, fixture, &process))
    });
    // Newest first.
    let snapshots = Collection::new(bodies);
    snapshots.sorted_by(|snapshot| std::cmp::Reverse(snapshot.text("Assembled").to_owned()))
}

/// Returns the fields of a snapshot that the fixture does not contain.
fn snapshot_rest(id: &str, space: &str, fixture: &Map<String, Value>, process: &str) -> Value {
    let text = |key: &str| fixture.get(key).and_then(Value::as_str).unwrap_or_default();
    let (runbook, project) = (text("RunbookId"), text("ProjectId"));
    let number = id.rsplit('-').next().unwrap_or_default();
    let mark = token(id, 5).to_uppercase();
    let variables = format!("variableset-{project}-s-{number}-{mark}");
    let path = format!("/api/{space}/runbookSnapshots/{id}");
    json!({
        "FrozenRunbookProcessId": process,
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
                "CanBeUsedForProjectVersioning": false, "WorkerPoolId": null,
                "IsRequired": step.get("IsRequired") == Some(&Value::Bool(true)),
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

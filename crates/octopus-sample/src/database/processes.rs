//! Deployment processes, built from the steps of the history.

use serde_json::{Map, Value, json};

use super::repository::Reference;
use super::scripts::{Process, Step};
use super::snapshots::snapshot;
use super::{Database, Item};
use crate::random::uuid;

/// Returns the responsible team of a space.
pub(crate) fn team_of(space_id: &str) -> &'static str {
    if space_id == "Spaces-1" { "Teams-21" } else { "Teams-41" }
}

/// Returns the instructions of a manual step.
pub(crate) fn instructions(step: &Step) -> &'static str {
    if step.slug == "approve-plan" {
        "Read the plan above. Proceed only if nothing is destroyed."
    } else {
        "Confirm the change window, then proceed."
    }
}

/// Returns the ID of the action of a step. Each step has one action.
pub(crate) fn action_id(project_id: &str, step: &Step) -> String {
    uuid(&format!("{project_id}/{}/action", step.slug))
}

/// Returns the current process of a project. Links of a process in Git contain its reference.
pub(crate) fn process(database: &Database, project: &Item, reference: Option<&Reference>) -> Value {
    let newest = database.releases.of_project(project).next();
    let newest = newest.map(|release| release.text("ProjectDeploymentProcessSnapshotId"));
    let branch = reference.map(|found| format!("/{}", found.segment())).unwrap_or_default();
    let path = format!("/api/{}/projects/{}", project.space_id, project.id);
    let changed = reference.is_some_and(Reference::is_changed);
    body(
        database,
        project,
        project.text("DeploymentProcessId"),
        newest.filter(|_| reference.is_none()),
        changed,
        &json!({
            "Self": format!("{path}{branch}/deploymentprocesses"),
            "Project": path,
            "Template": format!("{path}{branch}/deploymentprocesses/template{{?channel,releaseId}}"),
        }),
    )
}

/// Returns the process in the snapshot of a release, by the ID of the snapshot.
pub(crate) fn process_snapshot(database: &Database, space_id: &str, id: &str) -> Option<Value> {
    let (owner, release) = snapshot_of(database, "deploymentprocess", id)?;
    let project = database.projects.find(&owner).filter(|found| found.space_id == space_id)?;
    let id = snapshot("deploymentprocess", &project.id, &release.id);
    let links = json!({
        "Self": format!("/api/{space_id}/deploymentprocesses/{id}"),
        "Project": format!("/api/{space_id}/projects/{}", project.id),
    });
    Some(body(database, project, &id, Some(&id), false, &links))
}

/// Returns owner and release of a snapshot ID, if the ID is valid.
pub(crate) fn snapshot_of<'a>(
    database: &'a Database,
    prefix: &str,
    id: &str,
) -> Option<(String, &'a Item)> {
    let id = id.to_lowercase();
    let (owner, rest) = id.strip_prefix(prefix)?.strip_prefix('-')?.split_once("-s-")?;
    let (number, _) = rest.split_once('-')?;
    let release = database.releases.find(&format!("Releases-{number}"))?;
    let owners = [&database.projects, &database.library_variable_sets];
    let owner = owners.into_iter().find_map(|owners| owners.find(owner))?;
    let is_true = snapshot(prefix, &owner.id, &release.id).eq_ignore_ascii_case(&id);
    is_true.then(|| (owner.id.clone(), release))
}

fn body(
    database: &Database,
    project: &Item,
    id: &str,
    snapshot_id: Option<&str>,
    is_changed: bool,
    links: &Value,
) -> Value {
    let process = database.scripts.process(&project.id);
    let mut steps: Vec<Value> = process
        .into_iter()
        .flat_map(|process| process.steps.iter().map(|step| shown(project, process, step)))
        .collect();
    if let Some(process) = process.filter(|_| is_changed) {
        let more = Step {
            name: "Check charging stops".to_owned(),
            slug: "check-charging-stops".to_owned(),
            kind: "Script".to_owned(),
            target_role: None,
            environments: Vec::new(),
            is_required: false,
        };
        steps.push(shown(project, process, &more));
    }
    let is_git = project.flag("IsVersionControlled");
    json!({
        "Id": id,
        "SpaceId": project.space_id,
        "ProjectId": project.id,
        "Version": if is_git { 0 } else { steps.len() + 7 },
        "LastSnapshotId": snapshot_id,
        "Steps": steps,
        "Links": links,
    })
}

fn shown(project: &Item, process: &Process, step: &Step) -> Value {
    let mut properties = Map::new();
    if let Some(role) = &step.target_role {
        properties.insert("Octopus.Action.TargetRoles".to_owned(), json!(role));
        if role == "tracking-web" {
            properties.insert("Octopus.Action.MaxParallelism".to_owned(), json!("1"));
        }
    }
    json!({
        "Id": uuid(&format!("{}/{}", project.id, step.slug)),
        "Name": step.name,
        "Slug": step.slug,
        "PackageRequirement": "LetOctopusDecide",
        "Properties": properties,
        "Condition": "Success",
        "StartTrigger": "StartAfterPrevious",
        "Actions": [action(project, process, step)],
    })
}

fn action(project: &Item, process: &Process, step: &Step) -> Value {
    let (action_type, properties, has_package) = by_kind(project, process, step);
    let feed =
        if project.space_id == "Spaces-1" { "feeds-builtin" } else { "feeds-builtin-Spaces-22" };
    let packages = if has_package {
        json!([{
            "Id": uuid(&format!("{}/{}/package", project.id, step.slug)), "Name": "",
            "PackageId": process.package_id, "FeedId": feed, "AcquisitionLocation": "Server",
            "Version": null, "StepPackageInputsReferenceId": null,
            "Properties": { "SelectionMode": "immediate" },
        }])
    } else {
        json!([])
    };
    let pool = match (step.kind.as_str(), project.space_id.as_str()) {
        ("Terraform", _) => Some("WorkerPools-3"),
        ("Script" | "Migration", "Spaces-1") => Some("WorkerPools-1"),
        ("Script" | "Migration", _) => Some("WorkerPools-21"),
        _ => None,
    };
    json!({
        "Id": action_id(&project.id, step),
        "Name": step.name,
        "ActionType": action_type,
        "Notes": null,
        "IsDisabled": false,
        "CanBeUsedForProjectVersioning": has_package,
        "IsRequired": step.is_required,
        "WorkerPoolId": pool,
        "Container": { "Image": null, "FeedId": null, "GitUrl": null, "Dockerfile": null },
        "WorkerPoolVariable": "",
        "Environments": step.environments,
        "ExcludedEnvironments": [],
        "Channels": [],
        "TenantTags": [],
        "Packages": packages,
        "GitDependencies": [],
        "Condition": "Success",
        "Properties": properties,
        "StepPackageVersion": "",
        "Inputs": null,
        "Slug": step.slug,
        "Links": {},
    })
}

/// Returns the action type, its properties, and whether it has a package.
fn by_kind(project: &Item, process: &Process, step: &Step) -> (&'static str, Value, bool) {
    let slug = project.text("Slug");
    match step.kind.as_str() {
        "Package" => (
            "Octopus.TentaclePackage",
            json!({
                "Octopus.Action.Package.PackageId": process.package_id,
                "Octopus.Action.Package.DownloadOnTentacle": "False",
            }),
            true,
        ),
        "Kubernetes" => (
            "Octopus.KubernetesDeployRawYaml",
            json!({
                "Octopus.Action.Script.ScriptSource": "Package",
                "Octopus.Action.KubernetesContainers.Namespace": slug,
                "Octopus.Action.KubernetesContainers.CustomResourceYamlFileName": "manifests/*.yaml",
            }),
            true,
        ),
        "Terraform" => (
            "Octopus.TerraformApply",
            json!({
                "Octopus.Action.RunOnServer": "true",
                "Octopus.Action.Script.ScriptSource": "Package",
                "Octopus.Action.Terraform.Workspace": "#{Octopus.Environment.Name | ToLower}",
                "Octopus.Action.Terraform.Token": { "HasValue": true, "NewValue": null, "Hint": null },
            }),
            true,
        ),
        "Manual" => (
            "Octopus.Manual",
            json!({
                "Octopus.Action.RunOnServer": "true",
                "Octopus.Action.Manual.Instructions": instructions(step),
                "Octopus.Action.Manual.ResponsibleTeamIds": team_of(&project.space_id),
                "Octopus.Action.Manual.BlockConcurrentDeployments": "False",
            }),
            false,
        ),
        kind => {
            let (syntax, script) = if kind == "Migration" {
                (
                    "PowerShell",
                    format!(
                        "./migrate.ps1 -Server 'db-#{{Octopus.Environment.Name | ToLower}}' -Database '{slug}'"
                    ),
                )
            } else {
                (
                    "Bash",
                    format!(
                        "curl --fail \"https://#{{Octopus.Environment.Name | ToLower}}.{slug}.larkspurfreight.example/healthz\""
                    ),
                )
            };
            (
                "Octopus.Script",
                json!({
                    "Octopus.Action.RunOnServer": "true",
                    "Octopus.Action.Script.ScriptSource": "Inline",
                    "Octopus.Action.Script.Syntax": syntax,
                    "Octopus.Action.Script.ScriptBody": script,
                }),
                false,
            )
        }
    }
}

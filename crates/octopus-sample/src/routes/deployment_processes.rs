//! Deployment processes, current and in release snapshots, and deployment settings.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::database::repository::Reference;
use super::super::database::{Item, processes};
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::{missing, release_template};

const PAGES: Pages = Pages::of("DeploymentProcess", "skip,take,ids");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("ProcessView")?;
    match path {
        [] => {
            let projects = call.database.projects.of_space(call.space_id());
            let found: Vec<&Item> = projects
                .filter(|project| !project.flag("IsVersionControlled"))
                .filter(|project| call.one_of("ids", project.text("DeploymentProcessId")))
                .collect();
            let (skip, take) = PAGES.window(call);
            let shown = found.iter().skip(skip).take(take);
            let shown =
                shown.map(|project| processes::process(call.database, project, None).to_string());
            Ok(PAGES.render(call, found.len(), shown, ""))
        }
        [id] => one(call, id).map(|process| ApiResponse::value(&process)),
        [id, "template"] => {
            template(call, project_of_process(call, id).ok_or_else(|| missing(id))?)
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Answers `/projects/{id}/deploymentprocesses`. Processes in Git need a reference in the path.
pub(super) fn of_project(call: &Call<'_>, project: &Item) -> ApiResult {
    call.require("ProcessView")?;
    if project.flag("IsVersionControlled") {
        return Err(missing(project.text("DeploymentProcessId")));
    }
    Ok(ApiResponse::value(&processes::process(call.database, project, None)))
}

/// Answers `/projects/{id}/deploymentsettings`.
pub(super) fn settings_of(call: &Call<'_>, project: &Item) -> ApiResult {
    call.require("ProcessView")?;
    if project.flag("IsVersionControlled") {
        return Err(missing(&format!("deploymentsettings-{}", project.id)));
    }
    Ok(ApiResponse::value(&settings(project, None)))
}

/// Answers `/projects/{id}/deploymentprocesses/template`.
pub(super) fn template_of(call: &Call<'_>, project: &Item) -> ApiResult {
    call.require("ProcessView")?;
    if project.flag("IsVersionControlled") {
        return Err(missing(project.text("DeploymentProcessId")));
    }
    template(call, project)
}

/// Returns the template of the next release of a project, in Git or in the database.
pub(super) fn template(call: &Call<'_>, project: &Item) -> ApiResult {
    Ok(ApiResponse::value(&release_template::of(call, project)?))
}

/// Returns the project with this ID as its current process in the database.
fn project_of_process<'a>(call: &Call<'a>, id: &str) -> Option<&'a Item> {
    call.database.projects.of_space(call.space_id()).find(|project| {
        project.text("DeploymentProcessId").eq_ignore_ascii_case(id)
            && !project.flag("IsVersionControlled")
    })
}

fn one(call: &Call<'_>, id: &str) -> Result<Value, ApiError> {
    let database = call.database;
    let found = match project_of_process(call, id) {
        Some(project) => Some(processes::process(database, project, None)),
        None => processes::process_snapshot(database, call.space_id(), id),
    };
    found.ok_or_else(|| missing(id))
}

/// Returns the deployment settings of a project, in the database or at a reference.
pub(super) fn settings(project: &Item, reference: Option<&Reference>) -> Value {
    let branch = reference.map(|found| format!("/{}", found.segment())).unwrap_or_default();
    let path = format!("/api/{}/projects/{}", project.space_id, project.id);
    let of_project = |key: &str| project.body.get(key).cloned().unwrap_or_default();
    json!({
        "Id": format!("deploymentsettings-{}", project.id),
        "SpaceId": project.space_id,
        "ProjectId": project.id,
        "ConnectivityPolicy": of_project("ProjectConnectivityPolicy"),
        "DefaultGuidedFailureMode": of_project("DefaultGuidedFailureMode"),
        "VersioningStrategy": of_project("VersioningStrategy"),
        "ReleaseNotesTemplate": of_project("ReleaseNotesTemplate"),
        "DefaultToSkipIfAlreadyInstalled": of_project("DefaultToSkipIfAlreadyInstalled"),
        "DeploymentChangesTemplate": of_project("DeploymentChangesTemplate"),
        "ForcePackageDownload": of_project("ForcePackageDownload"),
        "FailTargetDiscovery": false, "CancelQueuedTasks": false, "CancelRunningTasks": false,
        "Links": { "Self": format!("{path}{branch}/deploymentsettings"), "Project": path },
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_client::{get, status};
    use crate::keys::{ADMIN, WITH_FEW_PERMISSIONS};

    #[tokio::test]
    async fn returns_current_and_snapshot_processes() {
        let release = get("/api/Spaces-1/releases/Releases-9002").await;
        let snapshot = release["ProjectDeploymentProcessSnapshotId"].as_str().unwrap().to_owned();
        for id in ["deploymentprocess-Projects-1", snapshot.as_str()] {
            let path = format!("/api/Spaces-1/deploymentprocesses/{id}");
            let process = get(&path).await;
            assert_eq!(process["Id"], id);
            assert_eq!(process["LastSnapshotId"], snapshot);
            let names: Vec<_> =
                process["Steps"].as_array().unwrap().iter().map(|s| &s["Name"]).collect();
            assert_eq!(names, ["Deploy tracking service", "Smoke test"]);
            assert_eq!(status(WITH_FEW_PERMISSIONS, &path).await, 403);
        }
        let manual = get("/api/Spaces-1/projects/Projects-5/deploymentprocesses").await;
        let action = &manual["Steps"][0]["Actions"][0];
        assert_eq!(action["Environments"][0], "Environments-3");
        assert_eq!(action["Properties"]["Octopus.Action.Manual.ResponsibleTeamIds"], "Teams-21");
        for id in [
            "deploymentprocess-Projects-2",
            "deploymentprocess-Projects-1-s-9002-AAAAA",
            "deploymentprocess-Projects-41",
            "deploymentprocess-Projects-99",
        ] {
            let path = format!("/api/Spaces-1/deploymentprocesses/{id}");
            assert_eq!(status(ADMIN, &path).await, 404, "{id}");
        }
    }
}

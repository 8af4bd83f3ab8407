//! Deployment processes, live and as releases took them, and deployment settings.

use serde_json::{Value, json};

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::page::Pages;
use super::super::world::repository::Reference;
use super::super::world::{Item, processes};
use super::{missing, release_template};

const PAGES: Pages = Pages::of("DeploymentProcess", "skip,take,ids");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("ProcessView")?;
    match path {
        [] => {
            let projects = call.world.projects.of_space(call.space_id());
            let found: Vec<&Item> = projects
                .filter(|project| !project.flag("IsVersionControlled"))
                .filter(|project| call.one_of("ids", project.text("DeploymentProcessId")))
                .collect();
            let (skip, take) = PAGES.window(call);
            let shown = found.iter().skip(skip).take(take);
            let shown =
                shown.map(|project| processes::process(call.world, project, None).to_string());
            Ok(PAGES.written(call, found.len(), shown, ""))
        }
        [id] => one(call, id).map(|process| Answer::value(&process)),
        [id, "template"] => template(call, live(call, id).ok_or_else(|| missing(id))?),
        _ => Err(Refusal::NoRoute),
    }
}

/// `/projects/{id}/deploymentprocesses`. What lives in Git is only found with a reference.
pub(super) fn of_project(call: &Call<'_>, project: &Item) -> Answered {
    call.need("ProcessView")?;
    if project.flag("IsVersionControlled") {
        return Err(missing(project.text("DeploymentProcessId")));
    }
    Ok(Answer::value(&processes::process(call.world, project, None)))
}

/// `/projects/{id}/deploymentsettings`.
pub(super) fn settings_of(call: &Call<'_>, project: &Item) -> Answered {
    call.need("ProcessView")?;
    if project.flag("IsVersionControlled") {
        return Err(missing(&format!("deploymentsettings-{}", project.id)));
    }
    Ok(Answer::value(&settings(project, None)))
}

/// `/projects/{id}/deploymentprocesses/template`.
pub(super) fn template_of(call: &Call<'_>, project: &Item) -> Answered {
    call.need("ProcessView")?;
    if project.flag("IsVersionControlled") {
        return Err(missing(project.text("DeploymentProcessId")));
    }
    template(call, project)
}

/// What the next release of a project would be, wherever its process lives.
pub(super) fn template(call: &Call<'_>, project: &Item) -> Answered {
    Ok(Answer::value(&release_template::of(call, project)?))
}

/// The project whose live process, kept in the database, has this ID.
fn live<'a>(call: &Call<'a>, id: &str) -> Option<&'a Item> {
    call.world.projects.of_space(call.space_id()).find(|project| {
        project.text("DeploymentProcessId").eq_ignore_ascii_case(id)
            && !project.flag("IsVersionControlled")
    })
}

fn one(call: &Call<'_>, id: &str) -> Result<Value, Refusal> {
    let world = call.world;
    let found = match live(call, id) {
        Some(project) => Some(processes::process(world, project, None)),
        None => processes::process_snapshot(world, call.space_id(), id),
    };
    found.ok_or_else(|| missing(id))
}

/// The deployment settings of a project, as they are in the database or at a reference.
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
    use super::super::asking::{get, status};
    use crate::keys::{ADMIN, WITH_FEW_PERMISSIONS};

    #[tokio::test]
    async fn live_ones_and_those_of_releases() {
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

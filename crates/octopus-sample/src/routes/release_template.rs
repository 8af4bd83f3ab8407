//! Template of the next release of a project: version, and packages to select.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::database::{Item, Process, Step};
use super::super::response::ApiError;
use super::missing;

/// Returns the template for the channel and release of the query.
pub(super) fn of(call: &Call<'_>, project: &Item) -> Result<Value, ApiError> {
    let database = call.database;
    if let Some(id) = call.query.text("channel") {
        let mut channels = database.channels.of_project(project);
        channels.find(|channel| channel.id.eq_ignore_ascii_case(id)).ok_or_else(|| missing(id))?;
    }
    let newest = database.releases.of_project(project).next();
    let release = match call.query.text("releaseId") {
        Some(id) => {
            let mut releases = database.releases.of_project(project);
            let found = releases.find(|release| release.id.eq_ignore_ascii_case(id));
            Some(found.ok_or_else(|| missing(id))?)
        }
        None => newest,
    };
    let last = newest.map(|release| release.text("Version"));
    let selected = |step: &Step| {
        let mut packages = release?.list("SelectedPackages");
        let package = packages
            .find(|package| package.get("ActionName").is_some_and(|name| *name == step.name))?;
        package.get("Version").cloned()
    };
    let process = database.scripts.process(&project.id);
    let (feed, feed_name) = match project.space_id.as_str() {
        "Spaces-1" => ("feeds-builtin", "Octopus Server (built-in)"),
        _ => ("feeds-builtin-Spaces-22", "Octopus Server (built-in)"),
    };
    let package = process.map_or("", |process| process.package_id.as_str());
    let packages = steps_with_package(process).map(|step| {
        json!({
            "ActionName": step.name, "FeedId": feed, "FeedName": feed_name, "IsResolvable": true,
            "NuGetFeedId": feed, "NuGetFeedName": feed_name, "NuGetPackageId": package,
            "PackageId": package, "PackageReferenceName": "", "ProjectName": null,
            "StepName": step.name, "VersionSelectedLastRelease": selected(step),
        })
    });
    let donor = project.body.pointer("/VersioningStrategy/DonorPackage");
    let donor = donor.filter(|donor| !donor.is_null());
    let of_donor = |key: &str| donor.and_then(|donor| donor.get(key)).cloned();
    Ok(json!({
        "Id": null,
        "DeploymentProcessId": project.text("DeploymentProcessId"),
        "LastReleaseVersion": last,
        "NextVersionIncrement":
            donor.is_none().then(|| next_version(project, last.unwrap_or("0.0.0"))),
        "VersioningPackageStepName": of_donor("DeploymentAction"),
        "VersioningPackageReferenceName": of_donor("PackageReference"),
        "Packages": packages.collect::<Vec<_>>(),
        "GitResources": [],
        "Links": {},
    }))
}

/// Returns the steps that deploy a package.
pub(super) fn steps_with_package(process: Option<&Process>) -> impl Iterator<Item = &Step> {
    let steps = process.map(|process| process.steps.as_slice()).unwrap_or_default();
    steps.iter().filter(|step| matches!(step.kind.as_str(), "Package" | "Kubernetes" | "Terraform"))
}

/// Returns the next version, by the version template of the project.
pub(super) fn next_version(project: &Item, last: &str) -> String {
    let numbers = last.split(['-', '+']).next().unwrap_or_default();
    let mut parts = numbers.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
    let strategy = project.body.get("VersioningStrategy");
    let template = strategy.and_then(|strategy| strategy.get("Template")?.as_str());
    let mut version = template.unwrap_or("#{Octopus.Version.LastMajor}.#{Octopus.Version.LastMinor}.#{Octopus.Version.NextPatch}").to_owned();
    for name in ["Major", "Minor", "Patch", "Revision"] {
        let number = parts.next().unwrap_or(0);
        for (which, value) in [("Last", number), ("Next", number + 1)] {
            let placeholder = format!("#{{Octopus.Version.{which}{name}}}");
            version = version.replace(&placeholder, &value.to_string());
        }
    }
    version
}

#[cfg(test)]
mod tests {
    use super::super::test_client::{get, status};
    use crate::keys::{ADMIN, WITH_FEW_PERMISSIONS};

    #[tokio::test]
    async fn template_has_next_version_and_last_packages() {
        let rows = [
            "deploymentprocesses/deploymentprocess-Projects-1/template?channel=Channels-1",
            "projects/Projects-1/deploymentprocesses/template",
            "deploymentprocesses/deploymentprocess-Projects-1/template?releaseId=Releases-9002",
        ];
        for path in rows {
            let path = format!("/api/Spaces-1/{path}");
            let template = get(&path).await;
            assert_eq!(template["LastReleaseVersion"], "1.12.0", "{path}");
            assert_eq!(template["NextVersionIncrement"], "1.12.1", "{path}");
            assert_eq!(template["Packages"][0]["StepName"], "Deploy tracking service", "{path}");
            assert!(template["Packages"][0]["VersionSelectedLastRelease"].is_string(), "{path}");
            assert_eq!(status(WITH_FEW_PERMISSIONS, &path).await, 403, "{path}");
        }
        let path = "/api/Spaces-1/projects/Projects-2/refs%2fheads%2fmain/deploymentprocesses";
        let template = get(&format!("{path}/template")).await;
        assert_eq!(template["NextVersionIncrement"], "2.6.1");
        for path in [
            "projects/Projects-2/gone/deploymentprocesses/template",
            "projects/Projects-2/deploymentprocesses/template",
            "deploymentprocesses/deploymentprocess-Projects-2/template",
            "deploymentprocesses/deploymentprocess-Projects-1/template?channel=Channels-6",
            "deploymentprocesses/deploymentprocess-Projects-1/template?releaseId=Releases-9007",
        ] {
            assert_eq!(status(ADMIN, &format!("/api/Spaces-1/{path}")).await, 404, "{path}");
        }
    }
}

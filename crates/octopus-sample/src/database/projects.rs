//! Project groups and projects.

use serde_json::{Value, json};

use super::collection::Collection;
use super::configuration::{by_name, collection};
use super::fixtures;
use crate::version::Version;

pub(super) fn project_groups() -> Collection {
    let groups = collection(fixtures::PROJECT_GROUPS, |id, space, _| {
        let path = format!("/api/{space}/projectgroups/{id}");
        json!({
            "EnvironmentIds": [], "RetentionPolicyId": null,
            "Links": {
                "Self": path, "Projects": format!("{path}/projects{{?skip,take,partialName}}"),
            },
        })
    });
    by_name(&groups)
}

pub(super) fn projects(version: &Version) -> Collection {
    let projects = collection(fixtures::PROJECTS, |id, space, fixture| {
        let is_git =
            fixture.get("IsVersionControlled").and_then(Value::as_bool).unwrap_or_default();
        project_rest(id, space, is_git, version)
    });
    by_name(&projects)
}

/// Returns the fields that all projects share.
pub(crate) fn project_rest(id: &str, space: &str, is_git: bool, version: &Version) -> Value {
    json!({
        "VariableSetId": format!("variableset-{id}"),
        "DeploymentProcessId": format!("deploymentprocess-{id}"),
        "ClonedFromProjectId": null, "DiscreteChannelRelease": false,
        "DefaultToSkipIfAlreadyInstalled": false,
        "DefaultGuidedFailureMode": "EnvironmentDefault",
        "VersioningStrategy": {
            "Template": "#{Octopus.Version.LastMajor}.#{Octopus.Version.LastMinor}.#{Octopus.Version.NextPatch}",
            "DonorPackage": null,
        },
        "ReleaseCreationStrategy": {
            "ChannelId": null, "ReleaseCreationPackage": null,
            "ReleaseCreationPackageStepId": null,
        },
        "AutoDeployReleaseOverrides": [], "ReleaseNotesTemplate": null,
        "DeploymentChangesTemplate": null, "ForcePackageDownload": false,
        "AllowIgnoreChannelRules": true, "ExecuteDeploymentsOnEventBasedPipeline": null,
        "ExtensionSettings": [], "AutoCreateRelease": false,
        "ProjectConnectivityPolicy": {
            "SkipMachineBehavior": "None", "TargetRoles": [],
            "AllowDeploymentsToNoTargets": false, "ExcludeUnhealthyTargets": false,
        },
        "Links": project_links(id, space, is_git, version),
    })
}

fn project_links(id: &str, space: &str, is_git: bool, version: &Version) -> Value {
    let path = format!("/api/{space}/projects/{id}");
    let content = if is_git { format!("{path}/{{gitRef}}") } else { path.clone() };
    let mut links = json!({
        "Self": path,
        "Variables": format!("{content}/variables"),
        "Progression": format!("{path}/progression{{?releaseHistoryCount}}"),
        "DeploymentProcess": format!("{content}/deploymentprocesses"),
        "DeploymentSettings": format!("{content}/deploymentsettings"),
        "Web": format!("/app#/{space}/projects/{id}"),
        "Logo": format!("{path}/logo?cb={}", version.text()),
        "Triggers": format!("{path}/triggers{{?skip,take,partialName,triggerActionType,triggerActionCategory,runbooks}}"),
        "ScheduledTriggers": format!("{path}/triggers/scheduled{{?skip,take,partialName,triggerActionType,triggerActionCategory,runbooks}}"),
        "RunbookTaskRunDashboardItemsTemplate": format!("/api/{space}/progression/runbooks/taskRuns{{?projectId,runbookIds,environmentIds,tenantIds,taskIds,skip,take}}"),
        "RunbookSnapshots": format!("{path}/runbookSnapshots{{/name}}{{?skip,take,searchByName}}"),
        "InsightsMetrics": format!("{path}/insights/metrics"),
        "ConvertToGit": format!("{path}/git/convert"),
        "ConvertToVcs": format!("{path}/git/convert"),
        "OrderChannels": format!("{path}/channels/order"),
        "Channels": format!("{path}/channels{{?skip,take,partialName}}"),
        "Releases": format!("{path}/releases{{/version}}{{?skip,take,searchByVersion}}"),
        "Runbooks": format!("{path}/runbooks{{?skip,take,partialName}}"),
        "Summary": format!("{path}/summary"),
        "Metadata": format!("{path}/metadata"),
    });
    if let Some(links) = links.as_object_mut().filter(|_| is_git) {
        let parameters = "{?skip,take,searchByName,refresh}";
        let mut add = |name: &str, target: String| {
            links.insert(name.to_owned(), Value::String(target));
        };
        add("Branches", format!("{path}/git/branches{{/name}}{parameters}"));
        add("Tags", format!("{path}/git/tags{{/name}}{parameters}"));
        add("GitCompatibilityReport", format!("{path}/git/compatibility-report"));
        add("Commits", format!("{path}/git/commits{{/hash}}{{?skip,take,refresh}}"));
    }
    links
}

//! `/llms.txt`: the API catalog for agents, a few hundred kilobytes of Markdown.

use std::fmt::Write;
use std::sync::LazyLock;

use bytes::Bytes;

/// A category: heading, path of the collection, name of a resource, and parameters of the list.
type Category = (&'static str, &'static str, &'static str, &'static str);

const CATEGORIES: [Category; 40] = [
    ("Accounts", "accounts", "Account", "skip,take,ids,partialName,accountType"),
    ("Action Templates", "actiontemplates", "ActionTemplate", "skip,take,ids,partialName"),
    ("Artifacts", "artifacts", "Artifact", "skip,take,regarding,ids,partialName,order"),
    (
        "Build Information",
        "build-information",
        "BuildInformation",
        "packageId,filter,latest,skip,take",
    ),
    (
        "Certificates",
        "certificates",
        "Certificate",
        "skip,take,search,archived,tenant,firstResult,orderBy,ids,partialName",
    ),
    ("Channels", "channels", "Channel", "skip,take,ids,partialName"),
    (
        "Deployment Freezes",
        "deploymentfreezes",
        "DeploymentFreeze",
        "skip,take,projectIds,environmentIds,includeComplete",
    ),
    ("Deployment Processes", "deploymentprocesses", "DeploymentProcess", "skip,take,ids"),
    (
        "Deployments",
        "deployments",
        "Deployment",
        "skip,take,ids,projects,environments,tenants,channels,taskState,partialName",
    ),
    ("Environments", "environments", "Environment", "name,skip,ids,take,partialName"),
    (
        "Events",
        "events",
        "Event",
        "skip,regarding,regardingAny,users,projects,environments,eventCategories,from,to,take,excludeDifference",
    ),
    (
        "Feature Toggles",
        "featuretoggles",
        "FeatureToggle",
        "Skip,Take,PartialName,Tags,Environments",
    ),
    ("Feeds", "feeds", "Feed", "skip,take,ids,partialName,feedType,name"),
    ("Git Credentials", "git-credentials", "GitCredential", "skip,take,name"),
    ("Insights Reports", "insights/reports", "InsightsReport", "skip,take"),
    ("Interruptions", "interruptions", "Interruption", "skip,take,regarding,pendingOnly,ids"),
    (
        "Library Variable Sets",
        "libraryvariablesets",
        "LibraryVariableSet",
        "skip,contentType,take,ids,partialName",
    ),
    ("Lifecycles", "lifecycles", "Lifecycle", "skip,take,ids,partialName"),
    ("Machine Policies", "machinepolicies", "MachinePolicy", "skip,take,ids,partialName"),
    (
        "Machines",
        "machines",
        "DeploymentTarget",
        "skip,take,name,ids,partialName,roles,isDisabled,healthStatuses,commStyles,environmentIds",
    ),
    (
        "Octopus Server Nodes",
        "octopusservernodes",
        "OctopusServerNode",
        "skip,take,ids,partialName",
    ),
    ("Packages", "packages", "Package", "nuGetPackageId,filter,latest,skip,take,includeNotes"),
    ("Project Groups", "projectgroups", "ProjectGroup", "skip,take,ids,partialName"),
    ("Project Triggers", "projecttriggers", "ProjectTrigger", "skip,take,ids,runbooks"),
    ("Projects", "projects", "Project", "name,skip,ids,clone,take,partialName,clonedFromProjectId"),
    ("Proxies", "proxies", "Proxy", "skip,take,ids,partialName"),
    ("Releases", "releases", "Release", "skip,ignoreChannelRules,take,ids"),
    ("Runbook Processes", "runbookProcesses", "RunbookProcess", "skip,take,ids"),
    (
        "Runbook Runs",
        "runbookRuns",
        "RunbookRun",
        "skip,take,ids,projects,environments,tenants,runbooks,taskState,partialName",
    ),
    ("Runbook Snapshots", "runbookSnapshots", "RunbookSnapshot", "skip,take,ids,publish"),
    ("Runbooks", "runbooks", "Runbook", "skip,take,ids,partialName,clone,projectIds"),
    ("Spaces", "spaces", "Space", "skip,ids,take,partialName"),
    ("Subscriptions", "subscriptions", "Subscription", "skip,take,ids,partialName,spaces"),
    ("Tag Sets", "tagsets", "TagSet", "skip,take,ids,partialName"),
    (
        "Tasks",
        "tasks",
        "Task",
        "skip,active,environment,tenant,project,name,states,hasPendingInterruptions,take,ids",
    ),
    ("Teams", "teams", "Team", "skip,take,ids,partialName,spaces,includeSystem"),
    (
        "Tenants",
        "tenants",
        "Tenant",
        "skip,projectId,name,tags,take,ids,clone,partialName,clonedFromTenantId",
    ),
    ("Variables", "variables", "VariableSet", "ids"),
    ("Worker Pools", "workerpools", "WorkerPool", "skip,ids,take,partialName"),
    (
        "Workers",
        "workers",
        "Worker",
        "skip,take,name,ids,partialName,isDisabled,healthStatuses,workerPoolIds",
    ),
];

/// Operations of every resource: method, rest of the path, summary and response.
const OPERATIONS: [(&str, &str, &str, &str); 9] = [
    ("GET", "", "Lists the resources, a page at a time", "ResourceCollection<{}>"),
    ("GET", "/all", "Gets all of them in one array, without pages", "{}[]"),
    (
        "GET",
        "/{id}",
        "Gets one by its ID; 404 where there is none, or where it is not visible",
        "{}",
    ),
    ("GET", "/{id}/metadata", "Describes the fields that extensions add to one", "Metadata"),
    ("GET", "/{id}/usages", "Tells what uses it, so that it is not deleted by mistake", "Usages"),
    ("POST", "", "Creates one; 400 with a list of errors where something is wrong with it", "{}"),
    (
        "PUT",
        "/{id}",
        "Modifies one; the whole resource has to be sent, not only what changed",
        "{}",
    ),
    ("DELETE", "/{id}", "Deletes one; what depends on it has to be gone before", "Task"),
    (
        "POST",
        "/bulk/delete",
        "Deletes several by their IDs, and tells which could not be",
        "BulkResult",
    ),
];

const FAMILIES: [&str; 16] = [
    "AwsApplyCloudFormation",
    "AwsRunScript",
    "AwsUploadS3",
    "AzureAppService",
    "AzurePowerShell",
    "AzureResourceGroup",
    "DeployRelease",
    "Email",
    "GoogleCloudScripting",
    "HelmChartUpgrade",
    "KubernetesDeployContainers",
    "KubernetesDeployRawYaml",
    "Manual",
    "Script",
    "TentaclePackage",
    "TerraformApply",
];

const PROPERTIES: [(&str, &str); 12] = [
    ("RunOnServer", "`true` where the step runs on a worker, `false` where it runs on targets"),
    ("TargetRoles", "the target tags, comma separated; only for steps that run on targets"),
    ("MaxParallelism", "how many targets at a time, for a rolling deployment"),
    ("Script.ScriptSource", "`Inline`, `Package` or `GitRepository`"),
    ("Script.Syntax", "`PowerShell`, `Bash`, `CSharp`, `FSharp` or `Python`"),
    ("Script.ScriptBody", "the script itself, with variables in `#{}`"),
    ("Package.FeedId", "the feed of the package"),
    ("Package.PackageId", "the ID of the package within its feed"),
    ("Package.DownloadOnTentacle", "`True` where targets fetch the package themselves"),
    ("EnabledFeatures", "features that are switched on, comma separated"),
    ("AutoRetry.MaximumCount", "how often the step is tried again"),
    ("ExecutionTimeout.Minutes", "after how many minutes the step is given up"),
];

static CATALOG: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(render()));

/// Returns the catalog. It is built once.
pub(super) fn catalog() -> Bytes {
    CATALOG.clone()
}

fn render() -> String {
    let mut text = String::from(INTRODUCTION);
    for category in &CATEGORIES {
        endpoints(&mut text, category);
    }
    text.push_str("\n## Steps\n\nEvery step of a process has actions; every action has a type and properties.\n");
    for family in FAMILIES {
        step(&mut text, family);
    }
    text
}

fn endpoints(text: &mut String, (heading, path, resource, parameters): &Category) {
    // Writing to a `String` cannot fail.
    let _ = write!(text, "\n### {heading}\n\n");
    for (prefix, space) in [
        ("/api/{spaceId}/", "of the space with this ID"),
        ("/api/spaces/{spaceIdentifier}/", "of the space with this ID or slug"),
        ("/api/", "of the default space"),
    ] {
        for (method, rest, description, returned) in OPERATIONS {
            let query = if method == "GET" && rest.is_empty() {
                format!("{{?{parameters}}}")
            } else {
                String::new()
            };
            let returned = returned.replace("{}", resource);
            let _ = writeln!(
                text,
                "- `{method} {prefix}{path}{rest}{query}` ({resource}, {space}): {description}. Returns `{returned}`."
            );
        }
    }
}

fn step(text: &mut String, family: &str) {
    let _ = write!(text, "\n### Octopus.{family}\n\n");
    let _ =
        writeln!(text, "The action type `Octopus.{family}` in a process, with these properties:\n");
    for (property, description) in PROPERTIES {
        for scope in ["", ".Container", ".GitDependency", ".Fallback"] {
            let _ = writeln!(
                text,
                "- `Octopus.Action.{family}{scope}.{property}` (string): {description}. Absent means the default of the step."
            );
        }
    }
}

const INTRODUCTION: &str = "# Octopus Deploy API

> Catalog of the REST endpoints of this Octopus Server, for agents.

## Authentication

Send an API key in the header `X-Octopus-ApiKey`, or an access token in `Authorization: Bearer`.
A 401 means that nobody is known by it; a 403 names the permission that is missing.

## Spaces

Most endpoints belong to a space. Name it in the path: `/api/{spaceId}/…` takes an ID such as
`Spaces-1`, `/api/spaces/{spaceIdentifier}/…` an ID or a slug. Without one, the default space is meant.
Lists take `skip` and `take` and answer thirty items unless told otherwise.

## Endpoints
";

#[cfg(test)]
mod tests {
    use super::super::test_client::get_response;
    use crate::{Sample, keys};

    #[tokio::test]
    async fn llms_txt_is_large_and_needs_2026_2() {
        let rows = [("2026.2.3916", 200), ("2026.2.3915", 404), ("2025.4.1", 404)];
        for (version, expected) in rows {
            for path in ["/llms.txt", "/api/experimental/llms.txt"] {
                let response =
                    get_response(&Sample::with_version(version), keys::ADMIN, path).await;
                assert_eq!(response.status(), expected, "{version} {path}");
                if expected == 200 {
                    let text = String::from_utf8_lossy(response.body());
                    assert!((280_000..380_000).contains(&text.len()), "{}", text.len());
                    assert!(text.contains("### Runbook Runs\n"));
                    assert!(text.contains("`GET /api/{spaceId}/tenants{?skip,projectId"));
                    assert_eq!(response.headers()["content-type"], "text/markdown; charset=utf-8");
                }
            }
        }
    }
}

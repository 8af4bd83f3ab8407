//! Releases in the form of the API.

use serde_json::{Value, json};

use crate::clock::timestamp;
use crate::database::{Database, Item, ReleaseFacts, WorkItem, snapshot};
use crate::random::token;

pub(crate) fn body(database: &Database, facts: &ReleaseFacts) -> Value {
    let project = database.projects.find(&facts.project_id);
    let space = project.map(|project| project.space_id.as_str()).unwrap_or_default();
    let (id, project_id) = (&facts.id, &facts.project_id);
    let variables = snapshot("variableset", project_id, id);
    let process = snapshot("deploymentprocess", project_id, id);
    let libraries: Vec<String> = project
        .into_iter()
        .flat_map(|project| project.texts("IncludedLibraryVariableSetIds"))
        .map(|set| snapshot("variableset", set, id))
        .collect();
    json!({
        "Id": id,
        "SpaceId": space,
        "ProjectId": project_id,
        "Version": facts.version,
        "ChannelId": facts.channel_id,
        "ReleaseNotes": facts.notes,
        "ProjectDeploymentProcessSnapshotId": process,
        "IgnoreChannelRules": false,
        "BuildInformation": build_information(database, facts),
        "Assembled": timestamp(facts.assembled),
        "LibraryVariableSetSnapshotIds": libraries,
        "SelectedPackages": packages(database, facts),
        "SelectedGitResources": [],
        "ProjectVariableSetSnapshotId": variables,
        "VersionControlReference": project.and_then(|project| git_reference(project, id)),
        "CustomFields": {},
        "Links": {
            "Self": format!("/api/{space}/releases/{id}"),
            "Project": format!("/api/{space}/projects/{project_id}"),
            "Channel": format!("/api/{space}/channels/{}", facts.channel_id),
            "Progression": format!("/api/{space}/releases/{id}/progression"),
            "Deployments": format!("/api/{space}/releases/{id}/deployments{{?skip,take}}"),
            "DeploymentTemplate": format!("/api/{space}/releases/{id}/deployments/template"),
            "Artifacts": format!("/api/{space}/artifacts?regarding={id}"),
            "ProjectVariableSnapshot": format!("/api/{space}/variables/{variables}"),
            "ProjectDeploymentProcessSnapshot": format!("/api/{space}/deploymentprocesses/{process}"),
            "Web": format!("/app#/{space}/releases/{id}"),
            "SnapshotVariables": format!("/api/{space}/releases/{id}/snapshot-variables"),
            "Defects": format!("/api/{space}/releases/{id}/defects"),
            "ReportDefect": format!("/api/{space}/releases/{id}/defects"),
            "ResolveDefect": format!("/api/{space}/releases/{id}/defects/resolve"),
            "DeploymentPreviews": format!("/api/{space}/releases/{id}/deployments/previews"),
            "Variables": format!("/api/{space}/projects/{project_id}/releases/{id}/variables"),
        },
    })
}

fn packages(database: &Database, facts: &ReleaseFacts) -> Vec<Value> {
    let steps = database.scripts.process(&facts.project_id).map(|process| process.steps.as_slice());
    let with_package = |kind: &str| matches!(kind, "Package" | "Kubernetes" | "Terraform");
    steps
        .unwrap_or_default()
        .iter()
        .filter(|step| with_package(&step.kind))
        .map(|step| {
            json!({
                "ActionName": step.name, "PackageReferenceName": "",
                "Version": facts.version, "StepName": step.name,
            })
        })
        .collect()
}

fn build_information(database: &Database, facts: &ReleaseFacts) -> Vec<Value> {
    let process = database.scripts.process(&facts.project_id);
    let Some((process, WorkItem { id, title })) = process.zip(facts.work_item.as_ref()) else {
        return Vec::new();
    };
    let number = facts.id.rsplit('-').next().unwrap_or_default();
    let commit = token(&facts.id, 40);
    let slug = database.projects.find(&facts.project_id).map_or("", |project| project.text("Slug"));
    let repository = format!("https://git.larkspurfreight.example/platform/{slug}");
    let commit_url = format!("{repository}/commit/{commit}");
    vec![json!({
        "PackageId": process.package_id,
        "Version": facts.version,
        "BuildEnvironment": "GitHub Actions",
        "BuildNumber": number,
        "BuildUrl": format!("https://ci.larkspurfreight.example/runs/{number}"),
        "Branch": "main",
        "VcsType": "Git",
        "VcsRoot": format!("{repository}.git"),
        "VcsCommitNumber": commit,
        "VcsCommitUrl": commit_url,
        "IssueTrackerName": "Jira",
        "WorkItems": [{
            "Id": id, "LinkUrl": format!("https://jira.larkspurfreight.example/browse/{id}"),
            "Source": "Jira", "Description": title,
        }],
        "Commits": [{ "Id": commit, "LinkUrl": commit_url, "Comment": format!("{id} {title}") }],
    })]
}

fn git_reference(project: &Item, release_id: &str) -> Option<Value> {
    let is_git = project.flag("IsVersionControlled");
    is_git.then(|| json!({ "GitRef": "refs/heads/main", "GitCommit": token(release_id, 40) }))
}

//! Runbook runs in the form of the API.

use serde_json::{Value, json};

use super::deployments::add_actor_type;
use crate::activity;
use crate::clock::timestamp;
use crate::database::{Database, Item, State, TaskFacts, runbook_process_id};
use crate::version::Version;

/// A runbook run.
pub(crate) struct RunFacts {
    pub(crate) id: String,
    pub(crate) task_id: String,
    pub(crate) space_id: String,
    pub(crate) project_id: String,
    /// Slug of a runbook in Git.
    pub(crate) runbook_id: String,
    /// `None` for a runbook in Git.
    pub(crate) snapshot_id: Option<String>,
    /// Reference and commit of a runbook in Git.
    pub(crate) git: Option<(String, String)>,
    pub(crate) environment_id: String,
    pub(crate) tenant_id: Option<String>,
    pub(crate) created: i64,
    pub(crate) state: State,
    pub(crate) by_user_id: String,
}

/// Returns the runbook runs of these tasks.
pub(super) fn past(database: &Database, tasks: &[TaskFacts]) -> Vec<RunFacts> {
    let of_task = |task: &TaskFacts| {
        let id = task.arguments.get("RunbookRunId")?.as_str()?;
        let project = database.projects.find(task.project_id.as_deref()?)?;
        let mut runbooks = database.runbooks.of_project(project);
        let runbook = runbooks.find(|runbook| task.description.contains(runbook.text("Name")))?;
        let mut environments = database.environments.of_space(&project.space_id);
        let environment = environments
            .find(|environment| task.description.ends_with(environment.text("Name")))?;
        Some(RunFacts {
            id: id.to_owned(),
            task_id: task.id.clone(),
            space_id: project.space_id.clone(),
            project_id: project.id.clone(),
            runbook_id: runbook.id.clone(),
            snapshot_id: Some(runbook.text("PublishedRunbookSnapshotId").to_owned()),
            git: None,
            environment_id: environment.id.clone(),
            tenant_id: None,
            created: task.queued - 114,
            state: task.state,
            by_user_id: "Users-41".to_owned(),
        })
    };
    tasks.iter().filter_map(of_task).collect()
}

pub(crate) fn body(database: &Database, facts: &RunFacts, version: &Version) -> Value {
    let RunFacts { id, space_id: space, runbook_id, environment_id, .. } = facts;
    let snapshot = facts.snapshot_id.as_deref().and_then(|id| database.runbook_snapshots.find(id));
    let deployed = facts.state.is_completed() && facts.state != State::Canceled;
    let machines = if deployed { machines(database, facts) } else { Vec::new() };
    let git = facts.git.as_ref().map(|(reference, commit)| {
        json!({ "GitRef": reference, "GitCommit": commit, "VariablesGitCommit": commit })
    });
    let mut body = json!({
        "Id": id,
        "SpaceId": space,
        "RunbookSnapshotId": facts.snapshot_id,
        "FrozenRunbookProcessId": snapshot.map(|snapshot| snapshot.text("FrozenRunbookProcessId")),
        "RunbookId": runbook_id,
        "GitReference": git,
        "EnvironmentId": environment_id,
        "TenantId": facts.tenant_id,
        "ForcePackageDownload": false,
        "SkipActions": [],
        "SpecificMachineIds": [],
        "ExcludedMachineIds": [],
        "SpecificTargetTagIds": [],
        "ExcludedTargetTagIds": [],
        "ManifestVariableSetId": format!("variableset-{id}"),
        "TaskId": facts.task_id,
        "ProjectId": facts.project_id,
        "UseGuidedFailure": false,
        "DebugMode": null,
        "FailTargetDiscovery": false,
        "Priority": "LifecycleDefault",
        "Comments": "",
        "FormValues": {},
        "QueueTime": null,
        "QueueTimeExpiry": null,
        "Name": format!("Run on {}", Database::name_in(&database.environments, environment_id)),
        "Created": timestamp(facts.created),
        "TentacleRetentionPeriod": {
            "Strategy": "Forever", "Unit": "Items", "QuantityToKeep": 0, "ShouldKeepForever": true,
        },
        "DeployedBy": database.display_name(&facts.by_user_id),
        "DeployedById": facts.by_user_id,
        "FailureEncountered": matches!(facts.state, State::Failed | State::TimedOut),
        "DeployedToMachineIds": machines,
        "Links": links(facts),
    });
    add_actor_type(&mut body, database, &facts.by_user_id, version);
    body
}

fn links(facts: &RunFacts) -> Value {
    let RunFacts { id, space_id: space, project_id, runbook_id, .. } = facts;
    let runbook = match &facts.git {
        Some((reference, _)) => {
            let reference = reference.replace('/', "%2f");
            format!("/api/{space}/projects/{project_id}/{reference}/runbooks/{runbook_id}")
        }
        None => format!("/api/{space}/runbooks/{runbook_id}"),
    };
    let mut links = json!({
        "Self": format!("/api/{space}/runbookRuns/{id}"),
        "Runbook": runbook,
        "Environment": format!("/api/{space}/environments/{}", facts.environment_id),
        "Project": format!("/api/{space}/projects/{project_id}"),
        "Task": format!("/api/tasks/{}", facts.task_id),
        "Web": format!("/app#/{space}/runbookRuns/{id}"),
        "Artifacts": format!("/api/{space}/artifacts?regarding={id}"),
        "Interruptions": format!("/api/{space}/interruptions?regarding={id}"),
    });
    if let Some((links, snapshot)) = links.as_object_mut().zip(facts.snapshot_id.as_ref()) {
        let link = format!("/api/{space}/runbookSnapshots/{snapshot}");
        links.insert("RunbookSnapshot".to_owned(), Value::String(link));
    }
    links
}

/// Returns the deployment targets of the steps of a runbook.
fn machines<'a>(database: &'a Database, facts: &'a RunFacts) -> Vec<&'a str> {
    let process = database.runbook_processes.find(&runbook_process_id(&facts.runbook_id));
    let steps = process.into_iter().flat_map(|process| process.list("Steps"));
    let roles = steps
        .filter_map(|step| step.get("Properties")?.get("Octopus.Action.TargetRoles")?.as_str());
    let targets = roles.flat_map(|role| activity::targets(database, &facts.environment_id, role));
    targets.map(|target: &Item| target.id.as_str()).collect()
}

//! Deployments in the form of the API.

use serde_json::{Value, json};

use crate::activity;
use crate::clock::timestamp;
use crate::database::{Database, DeploymentFacts, State, snapshot};
use crate::version::{Feature, Version};

pub(crate) fn body(database: &Database, facts: &DeploymentFacts, version: &Version) -> Value {
    let release = database.releases.find(&facts.release_id);
    let text = |key| release.map(|release| release.text(key)).unwrap_or_default();
    let (space, project_id, channel_id) = (text("SpaceId"), text("ProjectId"), text("ChannelId"));
    let (id, release_id, environment_id) = (&facts.id, &facts.release_id, &facts.environment_id);
    let process = snapshot("deploymentprocess", project_id, release_id);
    let steps: Vec<_> = database
        .scripts
        .process(project_id)
        .into_iter()
        .flat_map(|process| process.steps_for(environment_id))
        .collect();
    let logged = steps.iter().map(|step| {
        json!({
            "CorrelationId": activity::step_id(&facts.task_id, &step.slug), "Slug": step.slug,
        })
    });
    let machines: Vec<&str> = steps
        .iter()
        .filter_map(|step| step.target_role.as_deref())
        .flat_map(|role| activity::targets(database, environment_id, role))
        .map(|target| target.id.as_str())
        .collect();
    let deployed = facts.state.is_completed() && facts.state != State::Canceled;
    let failed = matches!(facts.state, State::Failed | State::TimedOut)
        || facts.pending_interruption.as_deref() == Some("GuidedFailure");
    let by = database.display_name(&facts.by_user_id);
    let mut body = json!({
        "Id": id,
        "SpaceId": space,
        "ReleaseId": release_id,
        "ChannelId": channel_id,
        "DeploymentProcessId": process,
        "Changes": [],
        "ChangesMarkdown": null,
        "EnvironmentId": environment_id,
        "TenantId": facts.tenant_id,
        "ForcePackageDownload": false,
        "ForcePackageRedeployment": false,
        "Priority": "LifecycleDefault",
        "SkipActions": [],
        "SpecificMachineIds": [],
        "ExcludedMachineIds": [],
        "SpecificTargetTagIds": [],
        "ExcludedTargetTagIds": [],
        "ManifestVariableSetId": format!("variableset-{id}"),
        "TaskId": facts.task_id,
        "ProjectId": project_id,
        "UseGuidedFailure": facts.pending_interruption.is_some() || facts.guidance.is_some(),
        "Comments": facts.comments,
        "FormValues": {},
        "QueueTime": null,
        "QueueTimeExpiry": null,
        "DebugMode": null,
        "FailTargetDiscovery": false,
        "Name": format!("Deploy to {}", Database::name_in(&database.environments, environment_id)),
        "Created": timestamp(facts.created),
        "TentacleRetentionPeriod": {
            "Strategy": "Forever", "Unit": "Items", "QuantityToKeep": 0, "ShouldKeepForever": true,
        },
        "ChangeRequestSettings": null,
        "DeployedBy": by,
        "DeployedById": facts.by_user_id,
        "FailureEncountered": failed,
        "DeployedToMachineIds": if deployed { machines } else { Vec::new() },
        "ExecutionPlanLogContext": { "Steps": logged.collect::<Vec<_>>() },
        "Links": links(space, project_id, facts, &process),
    });
    add_actor_type(&mut body, database, &facts.by_user_id, version);
    body
}

/// Adds the kind of the actor that started a deployment or runbook run.
pub(super) fn add_actor_type(body: &mut Value, database: &Database, by: &str, version: &Version) {
    let user = database.users.find(by);
    let actor_type = match user {
        Some(user) if user.text("ServiceAccountType") == "Agent" => "Agent",
        Some(user) if user.flag("IsService") => "ServiceAccount",
        Some(_) => "User",
        None => "System",
    };
    if let (true, Value::Object(body)) = (version.has(Feature::ActorTypes), body) {
        body.insert("DeployedByActorType".to_owned(), json!(actor_type));
    }
}

fn links(space: &str, project_id: &str, facts: &DeploymentFacts, process: &str) -> Value {
    let (id, release_id, environment_id) = (&facts.id, &facts.release_id, &facts.environment_id);
    json!({
        "Self": format!("/api/{space}/deployments/{id}"),
        "Release": format!("/api/{space}/releases/{release_id}"),
        "Environment": format!("/api/{space}/environments/{environment_id}"),
        "Project": format!("/api/{space}/projects/{project_id}"),
        "Task": format!("/api/tasks/{}", facts.task_id),
        "Web": format!("/app#/{space}/deployments/{id}"),
        "Artifacts": format!("/api/{space}/artifacts?regarding={id}"),
        "Interruptions": format!("/api/{space}/interruptions?regarding={id}"),
        "DeploymentProcess": format!("/api/{space}/deploymentprocesses/{process}"),
        "Variables": format!("/api/{space}/variables/variableset-{id}"),
    })
}

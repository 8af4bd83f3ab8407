//! Progression of releases through environments.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::call::Call;
use super::super::database::{Database, Item, Phase};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::{dashboard, project_lookup};

/// Answers `/projects/{id}/progression` and `/progression/{id}`.
pub(super) fn of_project(call: &Call<'_>, id: &str) -> ApiResult {
    call.require("DeploymentView")?;
    call.require("ReleaseView")?;
    let project = project_lookup::find(call, id)?;
    let count = match call.query.text("releaseHistoryCount").map(str::parse) {
        None => 30,
        Some(Ok(count @ 1..=100)) => count,
        Some(_) => {
            let reason = "The 'releaseHistoryCount' parameter must be greater than 0 and less than \
                          or equal to 100.";
            return Err(ApiError::BadRequest(reason.to_owned()));
        }
    };
    let database = call.database;
    let releases = database.releases.of_project(project).take(count);
    let channels = database.channels.of_project(project);
    let mut by_release: HashMap<&str, Vec<&Item>> = HashMap::new();
    for deployment in database.deployments.of_project(project) {
        by_release.entry(deployment.text("ReleaseId")).or_default().push(deployment);
    }
    let of_channel = |channel: &Item| {
        let ids =
            database.phases(project, &channel.id).into_iter().flat_map(|phase| phase.environments);
        named(call, &ids.collect::<Vec<_>>())
    };
    let all = database.phases(project, "").into_iter().flat_map(|phase| phase.environments);
    let environments = named(call, &all.collect::<Vec<_>>());
    let by_channel: Map<_, _> =
        channels.map(|channel| (channel.id.clone(), of_channel(channel))).collect();
    let rows: Vec<String> = releases
        .map(|release| row(call, project, release, by_release.get(release.id.as_str())))
        .collect();
    let path = format!("/api/{}/projects/{}/progression", call.space_id(), project.id);
    Ok(ApiResponse::json(format!(
        "{{\"Id\":{},\"Environments\":{environments},\"ChannelEnvironments\":{},\"Releases\":[{}],\
         \"Links\":{}}}",
        json!(project.id),
        Value::Object(by_channel),
        rows.join(","),
        json!({ "Self": path }),
    )))
}

/// Answers `/releases/{id}/progression`.
pub(super) fn of_release(call: &Call<'_>, release: &Item) -> ApiResult {
    let database = call.database;
    let project = project_lookup::find(call, release.text("ProjectId"))?;
    let deployments = database.deployments.of_project(project);
    let is_own = |deployment: &&Item| deployment.text("ReleaseId") == release.id;
    let deployments: Vec<&Item> = deployments.filter(is_own).collect();
    let phases = database.phases(project, release.text("ChannelId"));
    let current = current(database, &phases, &deployments);
    let shown = phases.iter().enumerate().map(|(position, phase)| {
        let inside =
            deployments.iter().filter(|d| phase.environments.contains(&d.text("EnvironmentId")));
        let both = inside.map(|deployment| {
            let task = database.tasks.find(deployment.text("TaskId")).map(|task| &task.body);
            json!({ "Task": task, "Deployment": deployment.body })
        });
        let own = |key: &str| phase.body.get(key);
        json!({
            "Id": own("Id"),
            "Name": own("Name"),
            "Blocked": position > current,
            "Progress": match position.cmp(&current) {
                std::cmp::Ordering::Less => "Complete",
                std::cmp::Ordering::Equal => "Current",
                std::cmp::Ordering::Greater => "Pending",
            },
            "AutomaticDeploymentTargets": own("AutomaticDeploymentTargets"),
            "OptionalDeploymentTargets": own("OptionalDeploymentTargets"),
            "MinimumEnvironmentsBeforePromotion": own("MinimumEnvironmentsBeforePromotion"),
            "IsOptionalPhase": own("IsOptionalPhase"),
            "Deployments": both.collect::<Vec<_>>(),
        })
    });
    Ok(ApiResponse::value(&json!({
        "Phases": shown.collect::<Vec<_>>(),
        "NextDeployments": next(&phases, current),
        "NextDeploymentsMinimumRequired": 0,
        "Links": {
            "Self": format!("/api/{}/releases/{}/progression", call.space_id(), release.id),
        },
    })))
}

/// Returns a release of a progression as JSON text, from the stored text of the release.
fn row(
    call: &Call<'_>,
    project: &Item,
    release: &Item,
    deployments: Option<&Vec<&Item>>,
) -> String {
    let database = call.database;
    let deployments = deployments.map(Vec::as_slice).unwrap_or_default();
    let phases = database.phases(project, release.text("ChannelId"));
    let mut by_environment: Map<String, Value> = Map::new();
    for deployment in deployments {
        let environment = deployment.text("EnvironmentId").to_owned();
        let items = by_environment.entry(environment).or_insert_with(|| json!([]));
        if let Some(items) = items.as_array_mut() {
            items.push(dashboard::item(database, deployment, items.is_empty()));
        }
    }
    let lifecycle = database.lifecycle_of(project, release.text("ChannelId"));
    let retention = |key: &str| lifecycle.and_then(|lifecycle| lifecycle.body.get(key));
    let channel = database.channels.find(release.text("ChannelId"));
    let rest = json!({
        "Deployments": by_environment,
        "NextDeployments": next(&phases, current(database, &phases, deployments)),
        "HasUnresolvedDefect": false,
        "ReleaseRetentionPeriod": retention("ReleaseRetentionPolicy"),
        "TentacleRetentionPeriod": retention("TentacleRetentionPolicy"),
    })
    .to_string();
    format!(
        "{{\"Release\":{},\"Channel\":{},{}",
        release.json,
        channel.map_or("null", |channel| &channel.json),
        rest.strip_prefix('{').unwrap_or_default()
    )
}

/// Returns the index of the first phase that the release has not completed.
pub(super) fn current(database: &Database, phases: &[Phase<'_>], deployments: &[&Item]) -> usize {
    let succeeded = |deployment: &&Item| {
        let task = database.tasks.find(deployment.text("TaskId"));
        task.is_some_and(|task| task.text("State") == "Success")
    };
    let reached = phases.iter().rposition(|phase| {
        let mut inside =
            deployments.iter().filter(|d| phase.environments.contains(&d.text("EnvironmentId")));
        inside.any(succeeded)
    });
    reached.map_or(0, |position| position + 1)
}

/// Returns the environments of the current phase and, after optional phases, of the next ones.
pub(super) fn next<'a>(phases: &[Phase<'a>], current: usize) -> Vec<&'a str> {
    let mut next = Vec::new();
    for phase in phases.iter().skip(current) {
        next.extend(&phase.environments);
        if !phase.is_optional() {
            break;
        }
    }
    next
}

fn named(call: &Call<'_>, ids: &[&str]) -> Value {
    let environments = ids.iter().filter_map(|id| call.database.environments.find(id));
    let named = environments.map(|item| json!({ "Id": item.id, "Name": item.text("Name") }));
    Value::Array(named.collect())
}

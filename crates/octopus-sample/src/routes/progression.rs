//! How far releases have got.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::world::{Item, Phase, World};
use super::{dashboard, projects};

/// `/projects/{id}/progression` and `/progression/{id}`.
pub(super) fn of_project(call: &Call<'_>, id: &str) -> Answered {
    call.need("DeploymentView")?;
    call.need("ReleaseView")?;
    let project = projects::one(call, id)?;
    let count = match call.query.text("releaseHistoryCount").map(str::parse) {
        None => 30,
        Some(Ok(count @ 1..=100)) => count,
        Some(_) => {
            let reason = "The 'releaseHistoryCount' parameter must be greater than 0 and less than \
                          or equal to 100.";
            return Err(Refusal::BadRequest(reason.to_owned()));
        }
    };
    let world = call.world;
    let releases = world.releases.of_project(project).take(count);
    let channels = world.channels.of_project(project);
    let mut by_release: HashMap<&str, Vec<&Item>> = HashMap::new();
    for deployment in world.deployments.of_project(project) {
        by_release.entry(deployment.text("ReleaseId")).or_default().push(deployment);
    }
    let of_channel = |channel: &Item| {
        let ids =
            world.phases(project, &channel.id).into_iter().flat_map(|phase| phase.environments);
        named(call, &ids.collect::<Vec<_>>())
    };
    let all = world.phases(project, "").into_iter().flat_map(|phase| phase.environments);
    let environments = named(call, &all.collect::<Vec<_>>());
    let by_channel: Map<_, _> =
        channels.map(|channel| (channel.id.clone(), of_channel(channel))).collect();
    let rows: Vec<String> = releases
        .map(|release| row(call, project, release, by_release.get(release.id.as_str())))
        .collect();
    let path = format!("/api/{}/projects/{}/progression", call.space_id(), project.id);
    Ok(Answer::json(format!(
        "{{\"Id\":{},\"Environments\":{environments},\"ChannelEnvironments\":{},\"Releases\":[{}],\
         \"Links\":{}}}",
        json!(project.id),
        Value::Object(by_channel),
        rows.join(","),
        json!({ "Self": path }),
    )))
}

/// `/releases/{id}/progression`.
pub(super) fn of_release(call: &Call<'_>, release: &Item) -> Answered {
    let world = call.world;
    let project = projects::one(call, release.text("ProjectId"))?;
    let deployments = world.deployments.of_project(project);
    let is_own = |deployment: &&Item| deployment.text("ReleaseId") == release.id;
    let deployments: Vec<&Item> = deployments.filter(is_own).collect();
    let phases = world.phases(project, release.text("ChannelId"));
    let current = current(world, &phases, &deployments);
    let shown = phases.iter().enumerate().map(|(position, phase)| {
        let inside =
            deployments.iter().filter(|d| phase.environments.contains(&d.text("EnvironmentId")));
        let both = inside.map(|deployment| {
            let task = world.tasks.find(deployment.text("TaskId")).map(|task| &task.body);
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
    Ok(Answer::value(&json!({
        "Phases": shown.collect::<Vec<_>>(),
        "NextDeployments": next(&phases, current),
        "NextDeploymentsMinimumRequired": 0,
        "Links": {
            "Self": format!("/api/{}/releases/{}/progression", call.space_id(), release.id),
        },
    })))
}

/// A release of a progression, as JSON; the release itself is written already.
fn row(
    call: &Call<'_>,
    project: &Item,
    release: &Item,
    deployments: Option<&Vec<&Item>>,
) -> String {
    let world = call.world;
    let deployments = deployments.map(Vec::as_slice).unwrap_or_default();
    let phases = world.phases(project, release.text("ChannelId"));
    let mut by_environment: Map<String, Value> = Map::new();
    for deployment in deployments {
        let environment = deployment.text("EnvironmentId").to_owned();
        let items = by_environment.entry(environment).or_insert_with(|| json!([]));
        if let Some(items) = items.as_array_mut() {
            items.push(dashboard::item(world, deployment, items.is_empty()));
        }
    }
    let lifecycle = world.lifecycle_of(project, release.text("ChannelId"));
    let retention = |key: &str| lifecycle.and_then(|lifecycle| lifecycle.body.get(key));
    let channel = world.channels.find(release.text("ChannelId"));
    let rest = json!({
        "Deployments": by_environment,
        "NextDeployments": next(&phases, current(world, &phases, deployments)),
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

/// The position of the first phase the release has not passed.
pub(super) fn current(world: &World, phases: &[Phase<'_>], deployments: &[&Item]) -> usize {
    let succeeded = |deployment: &&Item| {
        let task = world.tasks.find(deployment.text("TaskId"));
        task.is_some_and(|task| task.text("State") == "Success")
    };
    let reached = phases.iter().rposition(|phase| {
        let mut inside =
            deployments.iter().filter(|d| phase.environments.contains(&d.text("EnvironmentId")));
        inside.any(succeeded)
    });
    reached.map_or(0, |position| position + 1)
}

/// Where the release may go now: the current phase, and past it as long as phases are optional.
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
    let environments = ids.iter().filter_map(|id| call.world.environments.find(id));
    let named = environments.map(|item| json!({ "Id": item.id, "Name": item.text("Name") }));
    Value::Array(named.collect())
}

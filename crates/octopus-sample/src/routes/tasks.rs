//! Tasks, newest first, of one space or of all spaces of the caller.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use strum::VariantArray as _;

use super::super::call::{Call, contains};
use super::super::clock;
use super::super::database::{Item, State};
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::{missing, task_log};

const PAGES: Pages = Pages::of(
    "Task",
    "skip,active,environment,tenant,runbook,project,name,node,running,states,\
     hasPendingInterruptions,hasWarningsOrErrors,take,ids,partialName,spaces,includeSystem,\
     description,fromCompletedDate,toCompletedDate,fromQueueDate,toQueueDate,fromStartDate,\
     toStartDate",
);

const TYPES: [&str; 15] = [
    "AdHocScript",
    "AutoDeploy",
    "Backup",
    "Delete",
    "Deploy",
    "Health",
    "Migration",
    "Retention",
    "RunbookRun",
    "SyncCommunityActionTemplates",
    "SystemIntegrityCheck",
    "TestAzureAccount",
    "TestEmail",
    "UpdateCalamari",
    "Upgrade",
];

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("TaskView")?;
    match path {
        [] => list(call),
        ["tasktypes"] => {
            let types = TYPES.map(|name| json!({ "Id": name, "Name": name, "Links": {} }));
            Ok(ApiResponse::value(&json!(types)))
        }
        [id] => Ok(ApiResponse::json(one(call, id)?.json.to_string())),
        [id, "details"] => task_log::details(call, one(call, id)?),
        [id, "raw"] => task_log::raw(call, one(call, id)?),
        [id, "queued-behind"] => Ok(queued_behind(call, one(call, id)?)),
        _ => Err(ApiError::NoRoute),
    }
}

/// Returns a task of the space of the path, or of any space of the caller.
pub(super) fn one<'a>(call: &Call<'a>, id: &str) -> Result<&'a Item, ApiError> {
    let task = call.database.tasks.find(id).filter(|task| is_visible(call, task));
    task.ok_or_else(|| missing(id))
}

fn is_visible(call: &Call<'_>, task: &Item) -> bool {
    match call.space {
        Some(space) => task.space_id == space.id,
        None => call.user.sees_space(&task.space_id),
    }
}

fn list(call: &Call<'_>) -> ApiResult {
    let filters = TaskFilters::read(call)?;
    let visible: Vec<&Item> =
        call.database.tasks.iter().filter(|task| is_visible(call, task)).collect();
    let found: Vec<&Item> =
        visible.iter().copied().filter(|task| filters.matches(call, task)).collect();
    let extra =
        format!("\"TotalCounts\":{},\"TotalCountsInOtherSpaces\":{},", counts(&found), counts(&[]));
    Ok(page(call, &found, &extra))
}

/// Returns the running task that a queued task waits for.
fn queued_behind(call: &Call<'_>, task: &Item) -> ApiResponse {
    let mut found = Vec::new();
    if task.text("State") == State::Queued.into_str() {
        let project = task.text("ProjectId");
        let busy = |other: &&Item| {
            other.text("State") == State::Executing.into_str() && other.text("ProjectId") == project
        };
        found.extend(call.database.tasks.of_space(&task.space_id).filter(busy));
    }
    page(call, &found, "")
}

fn page(call: &Call<'_>, found: &[&Item], extra: &str) -> ApiResponse {
    let (skip, take) = PAGES.window(call);
    let shown = found.iter().skip(skip).take(take).map(|task| {
        let seconds = if task.text("State") == State::Queued.into_str() { 240 } else { 0 };
        let rest = task.json.strip_prefix('{').unwrap_or_default();
        format!("{{\"EstimatedRemainingQueueDurationSeconds\":{seconds},{rest}")
    });
    PAGES.render(call, found.len(), shown, extra)
}

fn counts(tasks: &[&Item]) -> Value {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for task in tasks {
        *counts.entry(task.text("State")).or_default() += 1;
        if task.flag("HasPendingInterruptions") {
            *counts.entry("Interrupted").or_default() += 1;
        }
    }
    let names = State::VARIANTS.iter().map(State::into_str).chain(["Interrupted"]);
    let count = |name: &str| json!(counts.get(name).copied().unwrap_or(0));
    Value::Object(names.map(|name| (name.to_owned(), count(name))).collect::<Map<_, _>>())
}

/// Filters that are parsed before they are applied.
struct TaskFilters {
    states: Vec<&'static str>,
    /// Key of the task, whether the time is the earliest, and the time.
    moments: Vec<(&'static str, bool, i64)>,
}

impl TaskFilters {
    fn read(call: &Call<'_>) -> Result<Self, ApiError> {
        let mut states = Vec::new();
        for name in call.query.list("states") {
            let wrong =
                || ApiError::BadRequest(format!("The value '{name}' is not valid for states."));
            states.push(name.parse::<State>().map_err(|_| wrong())?.into_str());
        }
        let mut moments = Vec::new();
        let parameters = [
            ("fromQueueDate", "QueueTime", true),
            ("toQueueDate", "QueueTime", false),
            ("fromStartDate", "StartTime", true),
            ("toStartDate", "StartTime", false),
            ("fromCompletedDate", "CompletedTime", true),
            ("toCompletedDate", "CompletedTime", false),
        ];
        for (parameter, key, is_earliest) in parameters {
            if let Some(text) = call.query.text(parameter) {
                let wrong = || {
                    ApiError::BadRequest(format!(
                        "The value '{text}' is not valid for {parameter}."
                    ))
                };
                moments.push((key, is_earliest, clock::parse(text).ok_or_else(wrong)?));
            }
        }
        Ok(Self { states, moments })
    }

    fn matches(&self, call: &Call<'_>, task: &Item) -> bool {
        let query = &call.query;
        let state = task.text("State");
        let is = |parameter: &str, names: &[&str]| {
            query.switch(parameter) != Some(true) || names.contains(&state)
        };
        let has = |parameter: &str, key: &str| {
            query.switch(parameter).is_none_or(|wanted| task.flag(key) == wanted)
        };
        let part = query.text("partialName").or_else(|| query.text("description"));
        (self.states.is_empty() || self.states.contains(&state))
            && is("running", &["Executing", "Cancelling"])
            && is("active", &["Queued", "Executing", "Cancelling"])
            && has("hasPendingInterruptions", "HasPendingInterruptions")
            && has("hasWarningsOrErrors", "HasWarningsOrErrors")
            && call.in_ids(task)
            && call.one_of("name", task.text("Name"))
            && call.one_of("project", task.text("ProjectId"))
            && call.one_of("node", task.text("ServerNode"))
            && of_deployment(call, task)
            && part.is_none_or(|part| contains(task.text("Description"), part))
            && (call.space.is_some() || of_spaces(call, task))
            && self.moments.iter().all(|(key, is_earliest, moment)| {
                clock::parse(task.text(key))
                    .is_some_and(|at| if *is_earliest { at >= *moment } else { at <= *moment })
            })
    }
}

/// Matches `environment`, `tenant` and `runbook`, which are fields of the deployment or run of a
/// task.
fn of_deployment(call: &Call<'_>, task: &Item) -> bool {
    if ["environment", "tenant", "runbook"].iter().all(|name| call.query.text(name).is_none()) {
        return true;
    }
    let arguments = task.body.get("Arguments");
    let named = |key: &str| arguments.and_then(|arguments| arguments.get(key)?.as_str());
    let deployment = named("DeploymentId").and_then(|id| call.database.deployments.find(id));
    let run = || named("RunbookRunId").and_then(|id| call.database.runbook_runs.find(id));
    deployment.or_else(run).is_some_and(|execution| {
        call.one_of("environment", execution.text("EnvironmentId"))
            && call.one_of("tenant", execution.text("TenantId"))
            && call.one_of("runbook", execution.text("RunbookId"))
    })
}

/// Returns whether a task matches the query parameters of the server-level list: `spaces` for tasks
/// of a space, `includeSystem` for system tasks.
fn of_spaces(call: &Call<'_>, task: &Item) -> bool {
    if task.space_id.is_empty() {
        call.query.switch("includeSystem") != Some(false)
    } else {
        call.one_of("spaces", &task.space_id)
    }
}

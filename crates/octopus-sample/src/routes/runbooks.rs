//! Runbooks in the database or in Git, and their subresources.

use serde_json::{Value, json};

use super::super::call::{Call, contains};
use super::super::database::repository::{Reference, resolve};
use super::super::database::{Database, GitRunbook, Item, runbook_process_id};
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::version::Feature;
use super::{missing, previews, project_lookup, runbook_runs};

const OF_PROJECT: Pages = Pages::of("Runbook", "skip,take,partialName");
const SNAPSHOTS: Pages = Pages::of("RunbookSnapshot", "skip,take,searchByName");

/// A runbook with one of its processes.
pub(super) struct RunbookVersion<'a> {
    pub(super) body: &'a Value,
    pub(super) process: Option<&'a Value>,
    /// Whether the process is that of a snapshot.
    pub(super) is_snapshot: bool,
}

impl<'a> RunbookVersion<'a> {
    fn in_git(runbook: &'a GitRunbook) -> Self {
        Self { body: &runbook.body, process: Some(&runbook.process), is_snapshot: false }
    }
}

/// Answers the paths below `/runbooks/{id}`.
pub(super) fn below_any(call: &Call<'_>, path: &[&str]) -> ApiResult {
    let [id, rest @ ..] = path else { return Err(ApiError::NoRoute) };
    let runbook = call.database.runbooks.find_in(call.space_id(), id);
    below(call, runbook.ok_or_else(|| missing(id))?, rest)
}

/// Answers `/projects/{id}/runbooks`.
pub(super) fn of_project(call: &Call<'_>, project: &Item, path: &[&str]) -> ApiResult {
    call.require("RunbookView")?;
    let mut runbooks = call.database.runbooks.of_project(project);
    match path {
        [] => {
            let shown =
                runbooks.filter(|runbook| call.in_ids(runbook) && call.matches_name(runbook));
            Ok(OF_PROJECT.page(call, shown))
        }
        [id, rest @ ..] => {
            let is = |text: &str| text.eq_ignore_ascii_case(id);
            let runbook = runbooks.find(|runbook| is(&runbook.id) || is(runbook.text("Slug")));
            below(call, runbook.ok_or_else(|| missing(id))?, rest)
        }
    }
}

fn below(call: &Call<'_>, runbook: &Item, path: &[&str]) -> ApiResult {
    match path {
        [] => Ok(ApiResponse::json(runbook.json.to_string())),
        ["environments"] => {
            let project = project_lookup::find(call, runbook.text("ProjectId"))?;
            Ok(all(environments(call.database, project, &runbook.body).into_iter()))
        }
        ["runbooksnapshots"] => {
            let own = call.database.runbook_snapshots.of_space(call.space_id());
            Ok(page(call, own.filter(|snapshot| snapshot.text("RunbookId") == runbook.id)))
        }
        ["runbookruntemplate"] | ["runbookruns", "preview", ..] => {
            let process = call.database.runbook_processes.find(&runbook_process_id(&runbook.id));
            let version = RunbookVersion {
                body: &runbook.body,
                process: process.map(|process| &process.body),
                is_snapshot: false,
            };
            previews::of_runbook(call, &version, path.get(2..).unwrap_or_default())
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Answers `/projects/{id}/{gitRef}/runbooks`, the paths below it, and `.../runbookProcesses/{slug}`.
pub(super) fn of_reference(
    call: &Call<'_>,
    project: &Item,
    reference: &str,
    path: &[&str],
) -> ApiResult {
    call.require("RunbookView")?;
    call.require_feature(Feature::GitRunbooks)?;
    if !are_in_git(project) {
        let reason = format!("The runbooks of '{}' are not in Git.", project.text("Name"));
        return Err(ApiError::BadRequest(reason));
    }
    let at = resolve(call.database, project, reference).ok_or_else(|| missing(reference))?;
    let encoded = at.segment();
    let written = |body: &Value| body.to_string().replace("{gitRef}", &encoded);
    let one = |slug: &str| in_git(call.database, project, &at, slug).ok_or_else(|| missing(slug));
    match path {
        ["runbooks"] => {
            let part = call.query.text("partialName").unwrap_or_default();
            let name = |runbook: &GitRunbook| {
                runbook.body.get("Name").and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let found: Vec<&GitRunbook> = on(call.database, project, &at)
                .filter(|runbook| contains(&name(runbook), part))
                .collect();
            let (skip, take) = OF_PROJECT.window(call);
            let shown = found.iter().skip(skip).take(take).map(|runbook| written(&runbook.body));
            Ok(OF_PROJECT.render(call, found.len(), shown, ""))
        }
        ["runbooks", slug] => Ok(ApiResponse::json(written(&one(slug)?.body))),
        ["runbookprocesses", slug] => Ok(ApiResponse::json(written(&one(slug)?.process))),
        ["runbooks", slug, "environments"] => {
            Ok(all(environments(call.database, project, &one(slug)?.body).into_iter()))
        }
        ["runbooks", slug, "runbookruntemplate"] => {
            previews::of_runbook(call, &RunbookVersion::in_git(one(slug)?), &[])
        }
        ["runbooks", slug, "runbookruns", "preview", rest @ ..] => {
            previews::of_runbook(call, &RunbookVersion::in_git(one(slug)?), rest)
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Answers `/runbookProcesses/{id}`.
pub(super) fn process(call: &Call<'_>, id: &str) -> ApiResult {
    call.require("RunbookView")?;
    let process = call.database.runbook_processes.find(id);
    let process = process.filter(|process| process.space_id == call.space_id());
    Ok(ApiResponse::json(process.ok_or_else(|| missing(id))?.json.to_string()))
}

/// Answers `/runbookSnapshots`, and the snapshots of one project.
pub(super) fn snapshots(call: &Call<'_>, project: Option<&Item>, path: &[&str]) -> ApiResult {
    call.require("RunbookView")?;
    let inside =
        |snapshot: &&Item| project.is_none_or(|project| snapshot.text("ProjectId") == project.id);
    let mut snapshots = call.database.runbook_snapshots.of_space(call.space_id()).filter(inside);
    let [wanted, rest @ ..] = path else { return Ok(page(call, snapshots)) };
    let is = |text: &str| text.eq_ignore_ascii_case(wanted);
    let snapshot = snapshots.find(|snapshot| is(&snapshot.id) || is(snapshot.text("Name")));
    let snapshot = snapshot.ok_or_else(|| missing(wanted))?;
    let runbook =
        call.database.runbooks.find(snapshot.text("RunbookId")).ok_or_else(|| missing(wanted))?;
    match rest {
        [] => Ok(ApiResponse::json(snapshot.json.to_string())),
        ["runbookruns"] => runbook_runs::of_snapshot(call, snapshot),
        ["runbookruns", "template"] => below(call, runbook, &["runbookruntemplate"]),
        ["runbookruns", "preview", rest @ ..] => {
            let process =
                call.database.runbook_processes.find(snapshot.text("FrozenRunbookProcessId"));
            let version = RunbookVersion {
                body: &runbook.body,
                process: process.map(|process| &process.body),
                is_snapshot: true,
            };
            previews::of_runbook(call, &version, rest)
        }
        _ => Err(ApiError::NoRoute),
    }
}

fn page<'a>(call: &Call<'_>, snapshots: impl Iterator<Item = &'a Item>) -> ApiResponse {
    let part = call.query.text("searchByName").unwrap_or_default();
    SNAPSHOTS.page(
        call,
        snapshots.filter(|snapshot| call.in_ids(snapshot) && contains(snapshot.text("Name"), part)),
    )
}

/// Answers `/progression/runbooks/{id}`.
pub(super) fn progression(call: &Call<'_>, id: &str) -> ApiResult {
    call.require("RunbookRunView")?;
    let runbook = call.database.runbooks.find_in(call.space_id(), id).ok_or_else(|| missing(id))?;
    let project = project_lookup::find(call, runbook.text("ProjectId"))?;
    let environments = environments(call.database, project, &runbook.body);
    let named = environments.iter().map(|e| json!({ "Id": e.id, "Name": e.text("Name") }));
    let mut by_environment = serde_json::Map::new();
    for run in call.database.runbook_runs.of_project(project) {
        if run.text("RunbookId") == runbook.id {
            let runs = by_environment.entry(run.text("EnvironmentId")).or_insert_with(|| json!([]));
            if let Some(runs) = runs.as_array_mut() {
                runs.push(runbook_runs::item(call.database, run));
            }
        }
    }
    Ok(ApiResponse::value(&json!({
        "Environments": named.collect::<Vec<_>>(), "RunbookRuns": by_environment, "Links": {},
    })))
}

/// Returns whether the runbooks of a project are in Git.
pub(super) fn are_in_git(project: &Item) -> bool {
    let settings = project.body.get("PersistenceSettings");
    let state =
        settings.and_then(|settings| settings.get("ConversionState")?.get("RunbooksAreInGit"));
    state.and_then(Value::as_bool).unwrap_or_default()
}

/// Returns the runbook of a Git project with a slug or name.
pub(super) fn in_git<'a>(
    database: &'a Database,
    project: &Item,
    at: &Reference,
    wanted: &str,
) -> Option<&'a GitRunbook> {
    let is = |runbook: &GitRunbook, key: &str| {
        let text = runbook.body.get(key).and_then(Value::as_str);
        text.is_some_and(|text| text.eq_ignore_ascii_case(wanted))
    };
    on(database, project, at).find(|runbook| is(runbook, "Slug") || is(runbook, "Name"))
}

fn on<'a>(
    database: &'a Database,
    project: &Item,
    at: &Reference,
) -> impl Iterator<Item = &'a GitRunbook> {
    let (id, content) = (Value::String(project.id.clone()), at.content());
    database.git_runbooks.iter().filter(move |runbook| {
        runbook.body.get("ProjectId") == Some(&id)
            && runbook.branches.iter().any(|branch| branch == content)
    })
}

/// Returns the environments that a runbook can run in.
pub(super) fn environments<'a>(
    database: &'a Database,
    project: &'a Item,
    runbook: &Value,
) -> Vec<&'a Item> {
    let listed = runbook.get("Environments").and_then(Value::as_array);
    let is_listed = |id: &str| listed.is_some_and(|ids| ids.iter().any(|other| other == id));
    let lifecycle_environments: Vec<&str> =
        match runbook.get("EnvironmentScope").and_then(Value::as_str) {
            Some("FromProjectLifecycles") => {
                let channels = database.channels.of_project(project);
                let phases = channels.flat_map(|channel| database.phases(project, &channel.id));
                phases.flat_map(|phase| phase.environments).collect()
            }
            _ => Vec::new(),
        };
    let is_inside = |environment: &&Item| match runbook
        .get("EnvironmentScope")
        .and_then(Value::as_str)
    {
        Some("Specified") => is_listed(&environment.id),
        Some("FromProjectLifecycles") => lifecycle_environments.contains(&environment.id.as_str()),
        _ => true,
    };
    database.environments.of_space(&project.space_id).filter(is_inside).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Sample;
    use crate::test_client::{get, send};

    #[tokio::test]
    async fn finds_runbooks_in_database_and_git() {
        let sample = Sample::new();
        let names = async |path: &str| -> Vec<String> {
            let page = get(&sample, &format!("Spaces-1/{path}")).await;
            let items = page["Items"].as_array().or(page.as_array()).unwrap();
            items.iter().map(|item| item["Name"].as_str().unwrap().to_owned()).collect()
        };
        let branch = "projects/route-planner/refs%2Fheads%2Ffeature%2Felectric-vans/runbooks";
        let rows: [(&str, &[&str]); 8] = [
            ("projects/Projects-1/runbooks", &["Collect diagnostics", "Restart tracking workers"]),
            ("projects/Projects-1/runbooks?partialName=TRACK", &["Restart tracking workers"]),
            ("projects/Projects-2/runbooks", &[]),
            ("projects/Projects-2/main/runbooks", &["Export fleet plans", "Rebuild route cache"]),
            (branch, &["Export fleet plans", "Rebuild route cache", "Recalibrate charging stops"]),
            ("runbooks/Runbooks-1/environments", &["Staging", "Production"]),
            ("runbooks/Runbooks-1/runbookSnapshots", &["Snapshot P9D2MXE", "Snapshot K4T7QWZ"]),
            ("projects/Projects-1/runbookSnapshots?searchByName=k4t", &["Snapshot K4T7QWZ"]),
        ];
        for (path, expected) in rows {
            assert_eq!(names(path).await, expected, "{path}");
        }
        let rows = [
            ("projects/Projects-2/gone/runbooks", 404),
            ("projects/Projects-1/main/runbooks", 400),
            ("projects/Projects-2/main/runbooks/recalibrate-charging-stops", 404),
            ("projects/Projects-2/main/runbookProcesses/rebuild-route-cache", 200),
            ("projects/Projects-1/runbooks/restart-tracking-workers", 200),
            ("projects/Projects-5/runbooks/restart-tracking-workers", 404),
            ("runbookProcesses/RunbookProcess-Runbooks-1", 200),
            ("runbookSnapshots/RunbookSnapshots-1/runbookRuns/template", 200),
            ("projects/Projects-2/main/deploymentsettings", 200),
            ("projects/Projects-1/deploymentsettings", 200),
            ("progression/runbooks/Runbooks-1", 200),
        ];
        for (path, status) in rows {
            let path = format!("Spaces-1/{path}");
            assert_eq!(send(&sample, "GET", &path, json!(null)).await.0, status, "{path}");
        }
        let path = "Spaces-1/runbooks/Runbooks-2/runbookRuns/preview/Environments-2";
        let form = get(&sample, path).await["Form"].clone();
        assert_eq!(form["Elements"][0]["Control"]["Name"], "Database.NewPassword");
        let runs = get(&sample, "Spaces-1/runbookRuns?runbooks=Runbooks-2").await;
        assert_eq!(runs["Items"][0]["TaskId"], "ServerTasks-90202");
    }
}

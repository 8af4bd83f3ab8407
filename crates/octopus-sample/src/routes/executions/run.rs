//! `/runbook-runs/create/v1` and `/runbook-runs/git/create/v1`.

use serde_json::{Value, json};

use super::super::super::clock::{NOW, SECOND};
use super::super::super::database::repository::resolve;
use super::super::super::database::{Database, Item, PromptScope, State, TaskFacts};
use super::super::super::history::{RunFacts, run_body};
use super::super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::write_request::WriteRequest;
use super::super::{previews, runbooks};
use super::lookup::{ExecutionOptions, environments, form_values, named, project, tenants, wrong};

/// A runbook in the database or in Git.
struct Subject<'a> {
    project: &'a Item,
    runbook: &'a Value,
    process: Option<&'a Value>,
    snapshot: Option<&'a Item>,
    git: Option<(String, String)>,
}

impl<'a> Subject<'a> {
    fn text(&self, key: &str) -> &'a str {
        self.runbook.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

pub(super) fn published(change: &WriteRequest<'_>, draft: &mut Database) -> ApiResult {
    let (call, input) = (change.call, change.input);
    call.require("RunbookRunCreate")?;
    let project = project(call, input)?;
    if runbooks::are_in_git(project) {
        let name = project.text("Name");
        return wrong(format!("The runbooks of '{name}' are in Git: a GitRef is required."));
    }
    let runbook =
        named(call.database, call.database.runbooks.of_project(project), "runbook", name(change)?)?;
    let mut snapshots = call.database.runbook_snapshots.of_project(project);
    let is_own = |snapshot: &&Item| snapshot.text("RunbookId") == runbook.id;
    let snapshot = match input.text("Snapshot") {
        Some(name) => {
            Some(named(call.database, snapshots.filter(is_own), "runbook snapshot", name)?)
        }
        None => {
            snapshots.find(|snapshot| snapshot.id == runbook.text("PublishedRunbookSnapshotId"))
        }
    };
    if snapshot.is_none() {
        let name = runbook.text("Name");
        return wrong(format!("The runbook '{name}' has no published snapshot to run."));
    }
    let process = snapshot.map_or("", |snapshot| snapshot.text("FrozenRunbookProcessId"));
    let process = call.database.runbook_processes.find(process).map(|process| &process.body);
    run(change, draft, &Subject { project, runbook: &runbook.body, process, snapshot, git: None })
}

pub(super) fn in_git(change: &WriteRequest<'_>, draft: &mut Database) -> ApiResult {
    let (call, input) = (change.call, change.input);
    call.require("RunbookRunCreate")?;
    let project = project(call, input)?;
    if !runbooks::are_in_git(project) {
        return wrong(format!("The runbooks of '{}' are not in Git.", project.text("Name")));
    }
    let Some(wanted) = input.text("GitRef") else {
        return wrong("'Git Ref' must not be empty.".to_owned());
    };
    let Some(at) = resolve(call.database, project, wanted) else {
        return wrong(format!("The Git reference '{wanted}' was not found."));
    };
    let name = name(change)?;
    let Some(runbook) = runbooks::in_git(call.database, project, &at, name) else {
        return wrong(format!("The runbook '{name}' was not found at '{wanted}'."));
    };
    let subject = Subject {
        project,
        runbook: &runbook.body,
        process: Some(&runbook.process),
        snapshot: None,
        git: Some((at.canonical(), at.commit(call.database, project))),
    };
    run(change, draft, &subject)
}

fn name<'a>(change: &WriteRequest<'a>) -> Result<&'a str, ApiError> {
    let empty = || ApiError::BadRequest("'Runbook Name' must not be empty.".to_owned());
    change.input.text("RunbookName").ok_or_else(empty)
}

fn run(change: &WriteRequest<'_>, draft: &mut Database, subject: &Subject<'_>) -> ApiResult {
    let (call, input) = (change.call, change.input);
    let (project, name) = (subject.project, subject.text("Name"));
    let allowed = runbooks::environments(call.database, project, subject.runbook);
    let environments = environments(call, &input.texts("EnvironmentNames"))?;
    let steps = subject.process.and_then(|process| process.get("Steps")?.as_array());
    let steps = steps
        .into_iter()
        .flatten()
        .filter_map(|step| Some((step.get("Name")?.as_str()?, previews::is_required(step))));
    let options = ExecutionOptions::read(call, input, &steps.collect::<Vec<_>>())?;
    let mut targets = Vec::new();
    for environment in environments {
        if !allowed.iter().any(|other| other.id == environment.id) {
            return wrong(format!(
                "The runbook '{name}' cannot be run on the environment '{}'.",
                environment.text("Name")
            ));
        }
        let tenants = tenants(call, input, project, environment)?;
        match (subject.text("MultiTenancyMode"), tenants.is_empty()) {
            ("Tenanted", true) => {
                return wrong(format!("The runbook '{name}' can only be run for tenants."));
            }
            ("Untenanted", false) => {
                return wrong(format!("The runbook '{name}' can not be run for tenants."));
            }
            (_, true) => targets.push((environment, None)),
            (_, false) => {
                targets.extend(tenants.into_iter().map(|tenant| (environment, Some(tenant))));
            }
        }
    }
    let mut made = Vec::new();
    for (environment, tenant) in targets {
        let scope = PromptScope {
            environment_id: Some(&environment.id),
            tenant_id: tenant.map(|tenant| tenant.id.as_str()),
            is_snapshot: subject.snapshot.is_some(),
        };
        let prompts = call.database.prompts_of(subject.text("Id"), scope);
        let form_values = form_values(input, prompts)?;
        let facts = RunFacts {
            id: draft.runbook_runs.next_id("RunbookRuns"),
            task_id: draft.tasks.next_id("ServerTasks"),
            space_id: project.space_id.clone(),
            project_id: project.id.clone(),
            runbook_id: subject.text("Id").to_owned(),
            snapshot_id: subject.snapshot.map(|snapshot| snapshot.id.clone()),
            git: subject.git.clone(),
            environment_id: environment.id.clone(),
            tenant_id: tenant.map(|tenant| tenant.id.clone()),
            created: NOW - 2 * SECOND,
            state: if options.run_at.is_some_and(|at| at > NOW) {
                State::Queued
            } else {
                State::Executing
            },
            by_user_id: call.user.id.to_owned(),
        };
        let mut body = run_body(draft, &facts, call.version);
        options.write(&mut body, form_values);
        draft.runbook_runs.put(body);
        let for_tenant = tenant.map(|tenant| format!(" for {}", tenant.text("Name")));
        let task = TaskFacts {
            id: facts.task_id.clone(),
            space_id: Some(facts.space_id.clone()),
            name: "RunbookRun".to_owned(),
            description: format!(
                "Run {name} on {}{}",
                environment.text("Name"),
                for_tenant.unwrap_or_default()
            ),
            arguments: json!({ "RunbookRunId": facts.id }),
            project_id: Some(facts.project_id.clone()),
            queued: options.run_at.unwrap_or(facts.created + 114),
            duration_seconds: 0,
            state: facts.state,
            failure: None,
            has_warnings: false,
            deployment: None,
        };
        draft.put_task(task, call.version);
        made.push(json!({ "RunbookRunId": facts.id, "ServerTaskId": facts.task_id }));
    }
    Ok(ApiResponse::value(&json!({ "RunbookRunServerTasks": made })))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::Sample;
    use crate::test_client::{get, merged, reason, send};

    #[tokio::test]
    async fn runs_runbooks_from_snapshot_and_git() {
        let sample = Sample::new();
        let path = "Spaces-1/runbook-runs/create/v1";
        let run = |project: &str, runbook: &str, other: Value| {
            let body = json!({
                "ProjectName": project, "RunbookName": runbook, "EnvironmentNames": ["Staging"],
            });
            merged(body, other)
        };
        let password = json!({ "Variables": { "Database.NewPassword": "correct horse battery" } });
        let rows = [
            (run("Projects-1", "Collect diagnostics", json!({})), "no published snapshot"),
            (run("Projects-1", "None", json!({})), "The runbook 'None' was not found"),
            (
                run("Projects-1", "Runbooks-1", json!({ "EnvironmentNames": ["Test"] })),
                "cannot be run on",
            ),
            (
                run("Projects-1", "Runbooks-1", json!({ "Snapshot": "Snapshot X" })),
                "snapshot 'Snapshot X'",
            ),
            (run("Projects-5", "rotate-database-password", json!({})), "'Database.NewPassword'"),
            (run("Projects-7", "Resend declarations", json!({})), "only be run for tenants"),
            (run("Route Planner", "Export fleet plans", json!({})), "a GitRef is required"),
        ];
        for (body, part) in rows {
            let (status, rejected) = send(&sample, "POST", path, body.clone()).await;
            assert_eq!(status, 400, "{body}");
            assert!(reason(&rejected).contains(part), "{body} {rejected}");
        }
        let rows = [
            run(
                "Projects-1",
                "Restart tracking workers",
                json!({ "Snapshot": "Snapshot K4T7QWZ" }),
            ),
            run("Projects-5", "Rotate database password", password),
            run("Projects-7", "Resend declarations", json!({ "Tenants": ["Ironbark Haulage"] })),
        ];
        for body in rows {
            let (status, made) = send(&sample, "POST", path, body).await;
            assert_eq!(status, 200, "{made}");
        }
        let tasks = get(&sample, "Spaces-1/tasks?runbook=Runbooks-2&active=true").await;
        assert_eq!(tasks["Items"][0]["Description"], "Run Rotate database password on Staging");
        let runs = get(&sample, "Spaces-1/runbookRuns?taskState=Executing&tenants=Tenants-6").await;
        assert_eq!(runs["Items"][0]["RunbookId"], "Runbooks-4");

        let path = "Spaces-1/runbook-runs/git/create/v1";
        let recalibrate = |reference: &str| {
            run("Route Planner", "recalibrate-charging-stops", json!({ "GitRef": reference }))
        };
        let (status, rejected) = send(&sample, "POST", path, recalibrate("main")).await;
        assert_eq!(status, 400, "{rejected}");
        let (status, made) =
            send(&sample, "POST", path, recalibrate("feature/electric-vans")).await;
        assert_eq!(status, 200, "{made}");
        let id = made["RunbookRunServerTasks"][0]["RunbookRunId"].as_str().unwrap();
        let run = get(&sample, &format!("Spaces-1/runbookRuns/{id}")).await;
        assert_eq!(run["GitReference"]["GitRef"], "refs/heads/feature/electric-vans");
        assert_eq!(run["RunbookSnapshotId"], Value::Null);
    }
}

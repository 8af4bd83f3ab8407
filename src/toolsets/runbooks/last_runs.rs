//! The last runs of a runbook in the targets of a new run.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    approval::ChangePreview,
    octopus::{
        Id, Named, Resource, Space,
        projects::Project,
        runbook_runs::{self, RunbookRun},
        runbooks::Runbook,
        tasks::Task,
        tenants::Tenant,
    },
    text::step_counter,
    tool::Error,
    toolsets::executions::Targets,
};

/// The last runs of a runbook in the targets of a new run.
#[derive(Debug)]
pub(super) struct LastRuns {
    /// Environment and tenant, with a description of the last run.
    lines: Vec<(String, String)>,
    runs: Vec<String>,
}

/// Maximum number of described targets. A preview with more lines is rejected as too large, so
/// omitting lines has no effect.
const MAX_LINES: usize = ChangePreview::MAX_PROCESSED_BYTES / 32;

impl LastRuns {
    pub(super) async fn read(
        space: &Space,
        project: &Project,
        runbook: &Runbook,
        targets: &Targets,
    ) -> Result<Self, Error> {
        let environments: Vec<_> = targets.environments.iter().map(Resource::id).collect();
        let (runs, all) = runbook_runs::newest(space, project, runbook, &environments).await?;
        let tasks = space.by_ids::<Task>(runs.iter().map(|run| &run.task_id)).await?;
        Ok(Self::find_newest(targets, &runs, &tasks, all))
    }

    /// Finds the newest run of each target. `all` states that `runs` is complete.
    fn find_newest(
        targets: &Targets,
        runs: &[RunbookRun],
        tasks: &HashMap<String, Task>,
        all: bool,
    ) -> Self {
        let mut newest: HashMap<(&str, Option<&str>), &RunbookRun> = HashMap::new();
        for run in runs {
            step_counter::add(1);
            let tenant = run.tenant_id.as_ref().map(Id::as_str);
            newest.entry((run.environment_id.as_str(), tenant)).or_insert(run);
        }
        let tenants: Vec<&Tenant> = targets.tenancy.tenants().collect();
        let mut last = Self { lines: Vec::new(), runs: Vec::new() };
        for environment in &targets.environments {
            let mut add = |tenant: Option<&Tenant>| {
                step_counter::add(1);
                let target = (environment.id.as_str(), tenant.map(|tenant| tenant.id.as_str()));
                let run = newest.get(&target).copied();
                last.runs.extend(run.map(|run| run.id.to_string()));
                if last.lines.len() == MAX_LINES {
                    return;
                }
                let target = match tenant {
                    None => environment.label().into_owned(),
                    Some(tenant) => format!("{}, {}", environment.label(), tenant.label()),
                };
                let text = match run {
                    None if all => "never".to_owned(),
                    None => "unknown: not among the newest runs".to_owned(),
                    Some(run) => {
                        let state =
                            tasks.get(run.task_id.as_str()).and_then(|t| t.state.as_deref());
                        let created = run.created.as_deref().unwrap_or("at an unknown time");
                        let state = state.unwrap_or("state unknown");
                        match (&run.deployed_by, &run.deployed_by_actor_type) {
                            (Some(who), Some(actor_type)) => {
                                format!("{created} ({state}), by {who} ({actor_type})")
                            }
                            _ => format!("{created} ({state})"),
                        }
                    }
                };
                last.lines.push((target, text));
            };
            if tenants.is_empty() {
                add(None);
            }
            for tenant in &tenants {
                add(Some(tenant));
            }
        }
        last
    }

    /// Adds the last runs to the preview.
    pub(super) fn add_to_preview(&self, preview: ChangePreview) -> ChangePreview {
        self.lines.iter().fold(preview, |preview, (target, text)| {
            preview.line(&format!("Last run in {target}"), text)
        })
    }

    /// Returns the state that must be unchanged when the run is approved.
    pub(super) fn state(&self) -> Value {
        json!(self.runs)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::{
        octopus::{ApiPath, ChangeRequest},
        toolsets::executions::Tenancy,
    };

    fn many<T: DeserializeOwned>(count: usize, one: impl Fn(usize) -> Value) -> Vec<T> {
        (0..count).map(|n| serde_json::from_value(one(n)).unwrap()).collect()
    }

    fn targets(environments: usize, tenants: usize) -> Targets {
        let environment = |n| json!({ "Id": format!("Environments-{n}"), "Name": format!("E{n}") });
        let tenant = |n| json!({ "Id": format!("Tenants-{n}"), "Name": format!("T{n}") });
        let named = many(tenants, tenant);
        let tenancy = Tenancy::Tenanted { named, tags: Vec::new(), tagged: Vec::new() };
        Targets { environments: many(environments, environment), tenancy }
    }

    fn run(n: usize, tenant: usize) -> Value {
        json!({
            "Id": format!("RunbookRuns-{n}"), "TaskId": format!("ServerTasks-{n}"),
            "EnvironmentId": "Environments-0", "TenantId": format!("Tenants-{tenant}"),
            "Created": format!("moment {n}"),
        })
    }

    #[test]
    fn looks_up_each_target_once() {
        let targets = targets(300, 200);
        let runs: Vec<RunbookRun> = many(100, |n| run(n, n));
        let (last, steps) =
            step_counter::count(|| LastRuns::find_newest(&targets, &runs, &HashMap::new(), false));
        assert!(steps <= 100 + 300 * 200, "{steps}");
        assert_eq!((last.lines.len(), last.runs.len()), (MAX_LINES, 100));
        let change_request = ChangeRequest::post(ApiPath::new(["x"]), json!({}));
        let (preview, steps) = step_counter::count(|| {
            last.add_to_preview(ChangePreview::new("runbook run", "Run it?", change_request))
        });
        assert!(steps <= ChangePreview::MAX_PROCESSED_BYTES, "{steps}");
        assert!(preview.lines.len() < MAX_LINES);
    }

    #[test]
    fn last_run_names_who_started_it() {
        let mut run = run(0, 0);
        run["DeployedBy"] = json!("Night Agent");
        run["DeployedByActorType"] = json!("Agent");
        let runs: Vec<RunbookRun> = many(1, |_| run.clone());
        let last = LastRuns::find_newest(&targets(1, 1), &runs, &HashMap::new(), true);
        assert_eq!(last.lines[0].1, "moment 0 (state unknown), by Night Agent (Agent)");
    }

    #[test]
    fn first_run_of_a_target_is_the_newest() {
        let runs: Vec<RunbookRun> = many(3, |n| run(n, n / 2));
        let last = LastRuns::find_newest(&targets(2, 2), &runs, &HashMap::new(), true);
        let text: Vec<&str> = last.lines.iter().map(|(_, text)| text.as_str()).collect();
        let known = ["moment 0 (state unknown)", "moment 2 (state unknown)"];
        assert_eq!(text, [known[0], known[1], "never", "never"]);
        assert_eq!(last.state(), json!(["RunbookRuns-0", "RunbookRuns-2"]));
    }
}

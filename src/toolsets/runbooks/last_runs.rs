//! When a runbook ran last where it should run.

use serde_json::{Value, json};

use crate::{
    octopus::{
        Named, Resource, Space, projects::Project, runbook_runs, runbook_runs::RunbookRun,
        runbooks::Runbook, tasks::Task,
    },
    tool::{Error, Proposal},
    toolsets::executions::Targets,
};

/// When a runbook ran last where it should run.
#[derive(Debug)]
pub(super) struct LastRuns {
    /// Place, and what is known of the last run there.
    lines: Vec<(String, String)>,
    runs: Vec<String>,
}

impl LastRuns {
    pub(super) async fn of(
        space: &Space,
        project: &Project,
        runbook: &Runbook,
        targets: &Targets,
    ) -> Result<Self, Error> {
        let environments: Vec<_> = targets.environments.iter().map(Resource::id).collect();
        let (runs, all) = runbook_runs::newest(space, project, runbook, &environments).await?;
        let tasks = space.by_ids::<Task>(runs.iter().map(|run| &run.task_id)).await?;
        let mut last = Self { lines: Vec::new(), runs: Vec::new() };
        for environment in &targets.environments {
            let here = |tenant: Option<&str>| {
                runs.iter().find(|run| {
                    let of = run.tenant_id.as_ref().map(crate::octopus::Id::as_str);
                    run.environment_id == environment.id && of == tenant
                })
            };
            let mut add = |place: String, run: Option<&RunbookRun>| {
                let said = match run {
                    None if all => "never".to_owned(),
                    None => "not known: not among the newest runs".to_owned(),
                    Some(run) => {
                        last.runs.push(run.id.to_string());
                        let state =
                            tasks.get(run.task_id.as_str()).and_then(|t| t.state.as_deref());
                        let created = run.created.as_deref().unwrap_or("at some time");
                        format!("{created} ({})", state.unwrap_or("state unknown"))
                    }
                };
                last.lines.push((place, said));
            };
            let mut tenants = targets.tenancy.tenants().peekable();
            if tenants.peek().is_none() {
                add(environment.label().into_owned(), here(None));
            }
            for tenant in tenants {
                let place = format!("{}, {}", environment.label(), tenant.label());
                add(place, here(Some(tenant.id.as_str())));
            }
        }
        Ok(last)
    }

    /// What a person should know of them.
    pub(super) fn show(&self, proposal: Proposal) -> Proposal {
        self.lines.iter().fold(proposal, |proposal, (place, said)| {
            proposal.fact(&format!("Last run in {place}"), said)
        })
    }

    /// What must still be so when the runbook is run.
    pub(super) fn state(&self) -> Value {
        json!(self.runs)
    }
}

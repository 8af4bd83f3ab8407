//! What of a project is already where a release should go.

use serde_json::{Value, json};

use crate::{
    octopus::{
        Id, Named, Resource, Space,
        dashboard::{self, DashboardItem},
        projects::Project,
    },
    tool::{Error, Proposal},
    toolsets::executions::Targets,
};

/// What of a project is already where a release should go.
#[derive(Debug)]
pub(super) struct AlreadyThere {
    /// Place, and what is there.
    lines: Vec<(String, String)>,
    deployments: Vec<String>,
}

impl AlreadyThere {
    pub(super) async fn of(
        space: &Space,
        project: &Project,
        targets: &Targets,
    ) -> Result<Self, Error> {
        let environments: Vec<_> = targets.environments.iter().map(Resource::id).collect();
        let items = dashboard::of_project(space, &project.id, &environments).await?;
        let mut there = Self { lines: Vec::new(), deployments: Vec::new() };
        for environment in &targets.environments {
            let mut tenants = targets.tenancy.tenants().peekable();
            let here = |tenant: Option<&str>| {
                items.iter().find(|item| {
                    item.environment_id == environment.id
                        && item.tenant_id.as_ref().map(Id::as_str) == tenant
                })
            };
            if tenants.peek().is_none() {
                there.add(environment.label().into_owned(), here(None));
            }
            for tenant in tenants {
                let place = format!("{}, {}", environment.label(), tenant.label());
                there.add(place, here(Some(tenant.id.as_str())));
            }
        }
        Ok(there)
    }

    fn add(&mut self, place: String, item: Option<&DashboardItem>) {
        let said = match item {
            None => "nothing yet".to_owned(),
            Some(item) => {
                self.deployments.push(item.deployment_id.clone());
                let version = item.release_version.as_deref().unwrap_or("a release");
                let state = item.state.as_deref().unwrap_or("state unknown");
                let state = if item.is_completed { state } else { &format!("{state} now") };
                format!("{version} ({state})")
            }
        };
        self.lines.push((place, said));
    }

    /// What a person should know of it.
    pub(super) fn show(&self, proposal: Proposal) -> Proposal {
        self.lines.iter().fold(proposal, |proposal, (place, said)| {
            proposal.fact(&format!("Now in {place}"), said)
        })
    }

    /// What must still be so when the release is deployed.
    pub(super) fn state(&self) -> Value {
        json!(self.deployments)
    }
}

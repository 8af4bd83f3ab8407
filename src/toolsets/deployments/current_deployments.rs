//! The current deployments of a project in the targets of a new deployment.

use serde_json::{Value, json};

use crate::{
    approval::ChangePreview,
    octopus::{
        Id, Named, Space,
        dashboard::{self, DashboardItem},
        projects::Project,
    },
    tool::Error,
    toolsets::executions::Targets,
};

/// The current deployments of a project in the targets of a new deployment.
#[derive(Debug)]
pub(super) struct CurrentDeployments {
    /// Environment and tenant, with a description of the current deployment.
    lines: Vec<(String, String)>,
    deployments: Vec<String>,
}

impl CurrentDeployments {
    pub(super) async fn read(
        space: &Space,
        project: &Project,
        targets: &Targets,
    ) -> Result<Self, Error> {
        let items = dashboard::latest_deployments(space, &project.id).await?;
        let mut current = Self { lines: Vec::new(), deployments: Vec::new() };
        for environment in &targets.environments {
            let mut tenants = targets.tenancy.tenants().peekable();
            let item_for = |tenant: Option<&str>| {
                items.iter().find(|item| {
                    item.environment_id.as_ref() == Some(&environment.id)
                        && item.tenant_id.as_ref().map(Id::as_str) == tenant
                })
            };
            if tenants.peek().is_none() {
                current.add(environment.label().into_owned(), item_for(None));
            }
            for tenant in tenants {
                let target = format!("{}, {}", environment.label(), tenant.label());
                current.add(target, item_for(Some(tenant.id.as_str())));
            }
        }
        Ok(current)
    }

    fn add(&mut self, target: String, item: Option<&DashboardItem>) {
        let text = match item {
            None => "nothing yet".to_owned(),
            Some(item) => {
                self.deployments.extend(item.deployment_id.clone());
                let version = item.release_version.as_deref().unwrap_or("a release");
                let state = item.state.as_deref().unwrap_or("state unknown");
                let state = if item.is_completed { state } else { &format!("{state} now") };
                format!("{version} ({state})")
            }
        };
        self.lines.push((target, text));
    }

    /// Adds the current deployments to the preview.
    pub(super) fn add_to_preview(&self, preview: ChangePreview) -> ChangePreview {
        self.lines.iter().fold(preview, |preview, (target, text)| {
            preview.line(&format!("Now in {target}"), text)
        })
    }

    /// Returns the state that must be unchanged when the deployment is approved.
    pub(super) fn state(&self) -> Value {
        json!(self.deployments)
    }
}

//! Fills the placeholders of `step-logs.json` and `failures.json` for one deployment.

use crate::database::{Database, TaskFacts};

/// Values of the placeholders in the fixtures.
pub(super) struct Placeholders {
    values: Vec<(&'static str, String)>,
}

impl Placeholders {
    pub(super) fn of(database: &Database, facts: &TaskFacts) -> Self {
        let deployment = facts.deployment.as_ref();
        let release = deployment.and_then(|facts| database.releases.find(&facts.release_id));
        let project = facts.project_id.as_deref().and_then(|id| database.projects.find(id));
        let environment =
            deployment.and_then(|facts| database.environments.find(&facts.environment_id));
        let tenant =
            deployment.and_then(|facts| database.tenants.find(facts.tenant_id.as_deref()?));
        let process = project.and_then(|project| database.scripts.process(&project.id));
        let number = deployment.and_then(|facts| facts.id.rsplit('-').next()).unwrap_or_default();
        let values = vec![
            ("{package}", process.map(|process| process.package_id.clone()).unwrap_or_default()),
            ("{version}", release.map(|r| r.text("Version").to_owned()).unwrap_or_default()),
            ("{slug}", project.map(|p| p.text("Slug").to_owned()).unwrap_or_default()),
            ("{environment}", environment.map(|e| e.text("Name").to_owned()).unwrap_or_default()),
            // Facts of a runbook run have no environment here; its failures happen in Staging.
            ("{environmentSlug}", environment.map_or("staging", |e| e.text("Slug")).to_owned()),
            ("{tenant}", tenant.map(|t| t.text("Name").to_owned()).unwrap_or_default()),
            ("{interruption}", format!("Interruptions-{number}")),
            ("{guidance}", format!("Interruptions-1{number}")),
        ];
        Self { values }
    }

    /// Returns a line of a fixture with its placeholders filled in.
    pub(super) fn fill(&self, line: &str) -> String {
        let mut filled = line.to_owned();
        for (placeholder, word) in &self.values {
            if filled.contains(placeholder) {
                filled = filled.replace(placeholder, word);
            }
        }
        filled
    }
}

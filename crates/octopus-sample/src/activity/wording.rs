//! What the lines of `step-logs.json` and `failures.json` say about one deployment.

use crate::history::TaskFacts;
use crate::world::World;

/// The words for the placeholders of the fixtures.
pub(super) struct Wording {
    words: Vec<(&'static str, String)>,
}

impl Wording {
    pub(super) fn of(world: &World, facts: &TaskFacts) -> Self {
        let deployment = facts.deployment.as_ref();
        let release = deployment.and_then(|facts| world.releases.find(&facts.release_id));
        let project = facts.project_id.as_deref().and_then(|id| world.projects.find(id));
        let environment =
            deployment.and_then(|facts| world.environments.find(&facts.environment_id));
        let tenant = deployment.and_then(|facts| world.tenants.find(facts.tenant_id.as_deref()?));
        let process = project.and_then(|project| world.scripts.process(&project.id));
        let number = deployment.and_then(|facts| facts.id.rsplit('-').next()).unwrap_or_default();
        let words = vec![
            ("{package}", process.map(|process| process.package_id.clone()).unwrap_or_default()),
            ("{version}", release.map(|r| r.text("Version").to_owned()).unwrap_or_default()),
            ("{slug}", project.map(|p| p.text("Slug").to_owned()).unwrap_or_default()),
            ("{environment}", environment.map(|e| e.text("Name").to_owned()).unwrap_or_default()),
            // A runbook run names no environment here; its failures happen in Staging.
            ("{environmentSlug}", environment.map_or("staging", |e| e.text("Slug")).to_owned()),
            ("{tenant}", tenant.map(|t| t.text("Name").to_owned()).unwrap_or_default()),
            ("{interruption}", format!("Interruptions-{number}")),
            ("{guidance}", format!("Interruptions-1{number}")),
        ];
        Self { words }
    }

    /// A line of a fixture with the words filled in.
    pub(super) fn fill(&self, line: &str) -> String {
        let mut filled = line.to_owned();
        for (placeholder, word) in &self.words {
            if filled.contains(placeholder) {
                filled = filled.replace(placeholder, word);
            }
        }
        filled
    }
}

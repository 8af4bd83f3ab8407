//! What each project deploys, step by step, and what the steps write into the log.

use std::collections::HashMap;

use serde::Deserialize;

use crate::sample::world::fixtures;

/// The deployment process of a project, and how often it is released.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct Process {
    pub(in crate::sample) project_id: String,
    pub(in crate::sample) package_id: String,
    pub(in crate::sample) work_item_prefix: String,
    pub(in crate::sample) first_version: String,
    /// How many releases the past has.
    pub(in crate::sample) releases: usize,
    /// Over how much of the past they are spread; 1 for all of it.
    pub(in crate::sample) span: f64,
    pub(in crate::sample) steps: Vec<Step>,
}

/// A step of a deployment process.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct Step {
    pub(in crate::sample) name: String,
    pub(in crate::sample) slug: String,
    /// `Package`, `Script`, `Migration`, `Kubernetes`, `Terraform` or `Manual`.
    pub(in crate::sample) kind: String,
    /// The target tag; without one the step runs on the Octopus Server.
    #[serde(default)]
    pub(in crate::sample) target_role: Option<String>,
    /// The environments the step runs for; empty for all.
    #[serde(default)]
    pub(in crate::sample) environments: Vec<String>,
}

/// A line of a log: the category and the text.
pub(in crate::sample) type LogLine = (String, String);

/// A way to fail.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct Failure {
    pub(in crate::sample) id: String,
    /// The kind of step it happens in.
    pub(in crate::sample) kind: String,
    /// What the closing lines quote.
    pub(in crate::sample) error: String,
    pub(in crate::sample) lines: Vec<LogLine>,
    /// Whether only `recent.json` may use it, because it tells a particular story.
    #[serde(default)]
    pub(in crate::sample) only_by_hand: bool,
}

/// Everything a task can go through.
pub(in crate::sample) struct ScriptBook {
    pub(in crate::sample) processes: Vec<Process>,
    pub(in crate::sample) failures: Vec<Failure>,
    step_logs: HashMap<String, Vec<LogLine>>,
}

impl ScriptBook {
    /// Reads the fixtures.
    pub(in crate::sample) fn read() -> Self {
        Self {
            processes: fixtures::parsed(fixtures::PROCESSES),
            failures: fixtures::parsed(fixtures::FAILURES),
            step_logs: fixtures::parsed(fixtures::STEP_LOGS),
        }
    }

    /// The process of a project.
    pub(in crate::sample) fn process(&self, project_id: &str) -> Option<&Process> {
        self.processes.iter().find(|process| process.project_id == project_id)
    }

    /// The failure with an ID.
    pub(in crate::sample) fn failure(&self, id: &str) -> Option<&Failure> {
        self.failures.iter().find(|failure| failure.id == id)
    }

    /// What goes well in a step, or in a task, of a kind.
    pub(in crate::sample) fn lines(&self, kind: &str) -> &[LogLine] {
        self.step_logs.get(kind).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Process {
    /// The steps that run for an environment.
    pub(in crate::sample) fn steps_for<'a>(
        &'a self,
        environment_id: &'a str,
    ) -> impl Iterator<Item = &'a Step> {
        self.steps.iter().filter(move |step| {
            step.environments.is_empty() || step.environments.iter().any(|id| id == environment_id)
        })
    }
}

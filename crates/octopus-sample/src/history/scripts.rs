//! What each project deploys, step by step, and what the steps write into the log.

use std::collections::HashMap;

use serde::Deserialize;

use crate::world::fixtures;

/// The deployment process of a project, and how often it is released.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Process {
    pub(crate) project_id: String,
    pub(crate) package_id: String,
    pub(crate) work_item_prefix: String,
    pub(crate) first_version: String,
    /// How many releases the past has.
    pub(crate) releases: usize,
    /// Over how much of the past they are spread; 1 for all of it.
    pub(crate) span: f64,
    pub(crate) steps: Vec<Step>,
}

/// A step of a deployment process.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) slug: String,
    /// `Package`, `Script`, `Migration`, `Kubernetes`, `Terraform` or `Manual`.
    pub(crate) kind: String,
    /// The target tag; without one the step runs on the Octopus Server.
    #[serde(default)]
    pub(crate) target_role: Option<String>,
    /// The environments the step runs for; empty for all.
    #[serde(default)]
    pub(crate) environments: Vec<String>,
}

/// A line of a log: the category and the text.
pub(crate) type LogLine = (String, String);

/// A way to fail.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Failure {
    pub(crate) id: String,
    /// The kind of step it happens in.
    pub(crate) kind: String,
    /// What the closing lines quote.
    pub(crate) error: String,
    pub(crate) lines: Vec<LogLine>,
    /// Whether only `recent.json` may use it, because it tells a particular story.
    #[serde(default)]
    pub(crate) only_by_hand: bool,
}

/// Everything a task can go through.
pub(crate) struct ScriptBook {
    pub(crate) processes: Vec<Process>,
    pub(crate) failures: Vec<Failure>,
    step_logs: HashMap<String, Vec<LogLine>>,
}

impl ScriptBook {
    /// Reads the fixtures.
    pub(crate) fn read() -> Self {
        Self {
            processes: fixtures::parsed(fixtures::PROCESSES),
            failures: fixtures::parsed(fixtures::FAILURES),
            step_logs: fixtures::parsed(fixtures::STEP_LOGS),
        }
    }

    /// The process of a project.
    pub(crate) fn process(&self, project_id: &str) -> Option<&Process> {
        self.processes.iter().find(|process| process.project_id == project_id)
    }

    /// The failure with an ID.
    pub(crate) fn failure(&self, id: &str) -> Option<&Failure> {
        self.failures.iter().find(|failure| failure.id == id)
    }

    /// What goes well in a step, or in a task, of a kind.
    pub(crate) fn lines(&self, kind: &str) -> &[LogLine] {
        self.step_logs.get(kind).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Process {
    /// The steps that run for an environment.
    pub(crate) fn steps_for<'a>(
        &'a self,
        environment_id: &'a str,
    ) -> impl Iterator<Item = &'a Step> {
        self.steps.iter().filter(move |step| {
            step.environments.is_empty() || step.environments.iter().any(|id| id == environment_id)
        })
    }
}

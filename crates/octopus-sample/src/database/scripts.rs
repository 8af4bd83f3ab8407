//! Deployment steps of each project, and the log lines of the steps.

use std::collections::HashMap;

use serde::Deserialize;

use super::fixtures;

/// Deployment process and release frequency of a project.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Process {
    pub(crate) project_id: String,
    pub(crate) package_id: String,
    pub(crate) work_item_prefix: String,
    pub(crate) first_version: String,
    /// Number of releases in the generated history.
    pub(crate) releases: usize,
    /// Share of the generated history that has these releases; 1 is all of it.
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
    /// Target tag; a step without one runs on the Octopus Server.
    #[serde(default)]
    pub(crate) target_role: Option<String>,
    /// Environments that the step runs for; empty for all.
    #[serde(default)]
    pub(crate) environments: Vec<String>,
    /// Whether the step cannot be skipped.
    #[serde(default)]
    pub(crate) is_required: bool,
}

/// A log line: category and text.
pub(crate) type LogLine = (String, String);

/// A failure of a step.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Failure {
    pub(crate) id: String,
    /// Kind of the step that fails.
    pub(crate) kind: String,
    /// Error message in the last lines of the log.
    pub(crate) error: String,
    pub(crate) lines: Vec<LogLine>,
    /// Whether only `recent.json` uses this failure, because its text fits one deployment only.
    #[serde(default)]
    pub(crate) only_by_hand: bool,
}

/// Step logs, failures and processes.
pub(crate) struct StepCatalog {
    pub(crate) processes: Vec<Process>,
    pub(crate) failures: Vec<Failure>,
    step_logs: HashMap<String, Vec<LogLine>>,
}

impl StepCatalog {
    /// Reads the fixtures.
    pub(crate) fn read() -> Self {
        Self {
            processes: fixtures::parsed(fixtures::PROCESSES),
            failures: fixtures::parsed(fixtures::FAILURES),
            step_logs: fixtures::parsed(fixtures::STEP_LOGS),
        }
    }

    /// Returns the process of a project.
    pub(crate) fn process(&self, project_id: &str) -> Option<&Process> {
        self.processes.iter().find(|process| process.project_id == project_id)
    }

    /// Returns the failure with an ID.
    pub(crate) fn failure(&self, id: &str) -> Option<&Failure> {
        self.failures.iter().find(|failure| failure.id == id)
    }

    /// Returns the log lines of a successful step or task of a kind.
    pub(crate) fn lines(&self, kind: &str) -> &[LogLine] {
        self.step_logs.get(kind).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Process {
    /// Returns the steps that run for an environment.
    pub(crate) fn steps_for<'a>(
        &'a self,
        environment_id: &'a str,
    ) -> impl Iterator<Item = &'a Step> {
        self.steps.iter().filter(move |step| {
            step.environments.is_empty() || step.environments.iter().any(|id| id == environment_id)
        })
    }
}

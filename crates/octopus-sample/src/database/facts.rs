//! Facts of the history: the minimum from which all API documents are derived.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::clock::{MINUTE, NOW, SECOND};

/// Name of the server node that runs all tasks.
pub(crate) const SERVER_NODE: &str = "larkspur-octopus-01";

/// A part of the history.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Facts {
    pub(crate) releases: Vec<ReleaseFacts>,
    pub(crate) deployments: Vec<DeploymentFacts>,
    /// Tasks that are not deployments.
    pub(crate) tasks: Vec<TaskFacts>,
}

/// A release.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReleaseFacts {
    pub(crate) id: String,
    pub(crate) project_id: String,
    pub(crate) channel_id: String,
    pub(crate) version: String,
    #[serde(rename = "MinutesAgo", deserialize_with = "moment_ago")]
    pub(crate) assembled: i64,
    #[serde(default)]
    pub(crate) notes: Option<String>,
    #[serde(default)]
    pub(crate) work_item: Option<WorkItem>,
}

/// Build information of a release.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WorkItem {
    pub(crate) id: String,
    pub(crate) title: String,
}

/// A deployment.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeploymentFacts {
    pub(crate) id: String,
    pub(crate) task_id: String,
    pub(crate) release_id: String,
    pub(crate) environment_id: String,
    #[serde(default)]
    pub(crate) tenant_id: Option<String>,
    #[serde(rename = "MinutesAgo", deserialize_with = "moment_ago")]
    pub(crate) created: i64,
    pub(crate) duration_seconds: i64,
    pub(crate) state: State,
    /// ID of a failure in `failures.json`.
    #[serde(default)]
    pub(crate) failure: Option<String>,
    #[serde(default)]
    pub(crate) has_warnings: bool,
    /// `ManualIntervention` or `GuidedFailure` while the interruption is pending.
    #[serde(default)]
    pub(crate) pending_interruption: Option<String>,
    /// The answer of an interruption: `Fail` for a failure, `Abort` for a manual step.
    #[serde(default)]
    pub(crate) guidance: Option<String>,
    /// Slugs of steps that succeed on their second attempt.
    #[serde(default)]
    pub(crate) retried_steps: Vec<String>,
    pub(crate) by_user_id: String,
    #[serde(default)]
    pub(crate) comments: String,
    #[serde(default)]
    pub(crate) trace: Option<Trace>,
}

/// Trace output that one step writes in addition to its ordinary lines.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Trace {
    /// Slug of the step.
    pub(crate) step: String,
    pub(crate) lines: usize,
}

/// A task of any kind.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TaskFacts {
    pub(crate) id: String,
    pub(crate) space_id: Option<String>,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) arguments: Value,
    #[serde(default)]
    pub(crate) project_id: Option<String>,
    #[serde(rename = "MinutesAgo", deserialize_with = "moment_ago")]
    pub(crate) queued: i64,
    pub(crate) duration_seconds: i64,
    pub(crate) state: State,
    #[serde(default)]
    pub(crate) failure: Option<String>,
    #[serde(default)]
    pub(crate) has_warnings: bool,
    /// The deployment of a deployment task.
    #[serde(skip)]
    pub(crate) deployment: Option<DeploymentFacts>,
}

impl TaskFacts {
    /// Returns the start time of the task in milliseconds since the Unix epoch; `None` while it is
    /// queued.
    pub(crate) fn started(&self) -> Option<i64> {
        (self.state != State::Queued).then_some(self.queued + 681)
    }

    /// Returns the end time of the task in milliseconds since the Unix epoch; `None` until it ends.
    pub(crate) fn completed(&self) -> Option<i64> {
        let started = self.started().filter(|_| self.state.is_completed())?;
        Some(started + self.duration_seconds * SECOND + 420)
    }

    /// Returns the run time of the task so far, in milliseconds; 0 while it is queued.
    pub(crate) fn run_time(&self) -> i64 {
        self.started().map_or(0, |started| self.completed().unwrap_or(NOW) - started)
    }

    /// Returns the type of the pending interruption.
    pub(crate) fn pending_interruption(&self) -> Option<&str> {
        self.deployment.as_ref()?.pending_interruption.as_deref()
    }

    /// Returns whether a step succeeds on its second attempt only.
    pub(crate) fn is_retried(&self, step: &str) -> bool {
        self.deployment
            .as_ref()
            .is_some_and(|deployment| deployment.retried_steps.iter().any(|slug| slug == step))
    }

    /// Returns the answer to the guided failure, if any.
    pub(crate) fn guidance(&self) -> Option<&str> {
        self.deployment.as_ref()?.guidance.as_deref()
    }
}

/// State of a task. The API spells `Canceled` with one l and `Cancelling` with two.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantArray,
)]
#[strum(ascii_case_insensitive, const_into_str)]
pub(crate) enum State {
    Queued,
    Executing,
    Failed,
    Canceled,
    TimedOut,
    Success,
    Cancelling,
}

impl State {
    /// Returns whether the state is final.
    pub(crate) const fn is_completed(self) -> bool {
        !matches!(self, Self::Queued | Self::Executing | Self::Cancelling)
    }
}

/// Returns the error message of a failed task; empty for all other tasks.
pub(crate) fn error_message(facts: &TaskFacts) -> &'static str {
    match (facts.state, facts.name.as_str()) {
        (State::Failed, "Deploy") => {
            "The deployment failed because one or more steps failed. Please see the deployment log \
             for details."
        }
        (State::Failed, "RunbookRun") => {
            "The runbook run failed because one or more steps failed. Please see the runbook log \
             for details."
        }
        (State::Failed, _) => "The task failed. Please see the task log for details.",
        (State::Canceled, _) => "The task was canceled.",
        (State::TimedOut, _) => "The task ran longer than the 60 minutes it is allowed.",
        _ => "",
    }
}

/// Converts minutes before the fixed current time, as in `recent.json`, to a time.
fn moment_ago<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let minutes = <i64 as Deserialize>::deserialize(deserializer)?;
    Ok(NOW - minutes * MINUTE)
}

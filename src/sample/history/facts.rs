//! What happened, in short: all that cannot be worked out from the rest.

use serde::Deserialize;
use serde_json::Value;

use super::moment_ago;
use crate::sample::clock::{NOW, SECOND};

/// A part of the history.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct Facts {
    pub(in crate::sample) releases: Vec<ReleaseFacts>,
    pub(in crate::sample) deployments: Vec<DeploymentFacts>,
    /// Tasks that are no deployments.
    pub(in crate::sample) tasks: Vec<TaskFacts>,
}

/// A release.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct ReleaseFacts {
    pub(in crate::sample) id: String,
    pub(in crate::sample) project_id: String,
    pub(in crate::sample) channel_id: String,
    pub(in crate::sample) version: String,
    #[serde(rename = "MinutesAgo", deserialize_with = "moment_ago")]
    pub(in crate::sample) assembled: i64,
    #[serde(default)]
    pub(in crate::sample) notes: Option<String>,
    #[serde(default)]
    pub(in crate::sample) work_item: Option<WorkItem>,
}

/// What a release was built for.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct WorkItem {
    pub(in crate::sample) id: String,
    pub(in crate::sample) title: String,
}

/// A deployment.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct DeploymentFacts {
    pub(in crate::sample) id: String,
    pub(in crate::sample) task_id: String,
    pub(in crate::sample) release_id: String,
    pub(in crate::sample) environment_id: String,
    #[serde(default)]
    pub(in crate::sample) tenant_id: Option<String>,
    #[serde(rename = "MinutesAgo", deserialize_with = "moment_ago")]
    pub(in crate::sample) created: i64,
    pub(in crate::sample) duration_seconds: i64,
    pub(in crate::sample) state: State,
    /// The ID of a failure of `failures.json`.
    #[serde(default)]
    pub(in crate::sample) failure: Option<String>,
    #[serde(default)]
    pub(in crate::sample) has_warnings: bool,
    /// `ManualIntervention` or `GuidedFailure`, while somebody has to answer.
    #[serde(default)]
    pub(in crate::sample) pending_interruption: Option<String>,
    /// What somebody decided, where they were asked: `Fail` about a failure, `Abort` at a manual
    /// step.
    #[serde(default)]
    pub(in crate::sample) guidance: Option<String>,
    pub(in crate::sample) by_user_id: String,
    #[serde(default)]
    pub(in crate::sample) comments: String,
    #[serde(default)]
    pub(in crate::sample) trace: Option<Trace>,
}

/// Very many lines that one step writes beside its ordinary ones.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct Trace {
    /// The slug of the step.
    pub(in crate::sample) step: String,
    pub(in crate::sample) lines: usize,
}

/// A task of any kind.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct TaskFacts {
    pub(in crate::sample) id: String,
    pub(in crate::sample) space_id: Option<String>,
    pub(in crate::sample) name: String,
    pub(in crate::sample) description: String,
    pub(in crate::sample) arguments: Value,
    #[serde(default)]
    pub(in crate::sample) project_id: Option<String>,
    #[serde(rename = "MinutesAgo", deserialize_with = "moment_ago")]
    pub(in crate::sample) queued: i64,
    pub(in crate::sample) duration_seconds: i64,
    pub(in crate::sample) state: State,
    #[serde(default)]
    pub(in crate::sample) failure: Option<String>,
    #[serde(default)]
    pub(in crate::sample) has_warnings: bool,
    /// The deployment, where the task is one.
    #[serde(skip)]
    pub(in crate::sample) deployment: Option<DeploymentFacts>,
}

impl TaskFacts {
    /// When a node picked the task up.
    pub(in crate::sample) fn started(&self) -> Option<i64> {
        (self.state != State::Queued).then_some(self.queued + 681)
    }

    /// When the task ended.
    pub(in crate::sample) fn completed(&self) -> Option<i64> {
        let started = self.started().filter(|_| self.state.is_completed())?;
        Some(started + self.duration_seconds * SECOND + 420)
    }

    /// How long the task has run so far.
    pub(in crate::sample) fn run_time(&self) -> i64 {
        self.started().map_or(0, |started| self.completed().unwrap_or(NOW) - started)
    }

    /// What the task waits for, if for a person.
    pub(in crate::sample) fn pending_interruption(&self) -> Option<&str> {
        self.deployment.as_ref()?.pending_interruption.as_deref()
    }

    /// What was decided about the failure, where somebody was asked.
    pub(in crate::sample) fn guidance(&self) -> Option<&str> {
        self.deployment.as_ref()?.guidance.as_deref()
    }
}

/// The state of a task. Mind the spelling: `Canceled`, but `Cancelling`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(in crate::sample) enum State {
    Queued,
    Executing,
    Failed,
    Canceled,
    TimedOut,
    Success,
    Cancelling,
}

impl State {
    /// All states, in the order of the wire.
    pub(in crate::sample) const ALL: [Self; 7] = [
        Self::Queued,
        Self::Executing,
        Self::Failed,
        Self::Canceled,
        Self::TimedOut,
        Self::Success,
        Self::Cancelling,
    ];

    /// The state as the API writes it.
    pub(in crate::sample) const fn name(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Executing => "Executing",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
            Self::TimedOut => "TimedOut",
            Self::Success => "Success",
            Self::Cancelling => "Cancelling",
        }
    }

    /// The state with this name, in any letter case.
    pub(in crate::sample) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name().eq_ignore_ascii_case(name))
    }

    /// Whether nothing more will happen.
    pub(in crate::sample) const fn is_completed(self) -> bool {
        !matches!(self, Self::Queued | Self::Executing | Self::Cancelling)
    }
}

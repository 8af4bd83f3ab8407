//! The steps and failures of a task in the form of the answer.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    TaskSummary,
    activity::{self, Cause, Failure, ShortenedTree},
};
use crate::{
    compute::Budget,
    octopus::{
        Space,
        tasks::{Details, SHORT_TAIL_MESSAGES},
    },
    tool::{Context, Error},
};

/// The state, failures and steps of a task.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskDetails {
    task: TaskSummary,
    /// The deepest nodes that failed or wait for guidance after an error. Without failed attempts
    /// whose retry succeeded.
    failures: Vec<Failure>,
    /// What the task waits for now, e.g. another task. Absent if it does not wait.
    waits_for: Option<Vec<String>>,
    /// Absent if the task has ended.
    progress: Option<TaskProgress>,
    /// Size of the raw log in bytes.
    physical_log_size: Option<u64>,
    /// Tree of steps and targets: name, status, started, ended, children, and the messages of
    /// unsuccessful nodes that are not in failures.
    activity_logs: Vec<Value>,
    /// Description of omitted parts.
    left_out: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TaskProgress {
    progress_percentage: Option<f64>,
    estimated_time_remaining: Option<String>,
}

/// Approximate size of the task summary in the answer, in bytes.
const TASK_BYTES: usize = 2048;

impl TaskDetails {
    /// Shortens the details of a task to about `max_bytes` bytes: half for the failures, the rest
    /// for the tree.
    ///
    /// Runs in the compute pool.
    pub(crate) async fn of(
        cx: &Context,
        space: &Space,
        details: Details,
        project_name: Option<String>,
        all_messages: bool,
        max_bytes: usize,
    ) -> Result<Self, Error> {
        let Details {
            task,
            mut activity_logs,
            physical_log_size,
            progress,
            is_truncated: is_short,
        } = details;
        let waits_for_person = task.has_pending_interruptions;
        let is_completed = task.is_completed;
        let shorten = move |budget: &Budget| {
            let check = || budget.check();
            activity::redact(&mut activity_logs, &check)?;
            let causes = activity::causes(&activity_logs, waits_for_person);
            let failures: Vec<Failure> = activity::failures(&causes, max_bytes / 2);
            let reasons =
                if is_completed { Vec::new() } else { activity::waits_for(&activity_logs) };
            let spent = serde_json::to_vec(&(&failures, &reasons)).map_or(0, |json| json.len());
            let spent = spent + TASK_BYTES;
            let shown_causes: Vec<&Cause> = causes.iter().take(failures.len()).collect();
            let max_bytes = max_bytes.saturating_sub(spent);
            let shown =
                activity::tree(&activity_logs, &shown_causes, all_messages, max_bytes, &check)?;
            let more = causes.len() - failures.len();
            Ok((failures, more, reasons, shown))
        };
        let (failures, more, reasons, shown) = cx.compute().run(shorten).await?;
        let ShortenedTree { tree, left_out } = shown;
        let more = (more > 0).then(|| format!("{more} more failures"));
        let earlier = is_short
            .then(|| format!("messages before the last {SHORT_TAIL_MESSAGES} of each step"));
        let left_out: Vec<String> = more.into_iter().chain(earlier).chain(left_out).collect();
        let left_out = (!left_out.is_empty()).then(|| {
            let is_on = cx.access.is_visible_by_name("get_task_raw");
            let how = if is_on { "; get_task_raw has the whole log" } else { "" };
            format!("{}{how}", left_out.join("; "))
        });
        Ok(Self {
            progress: progress.filter(|_| !task.is_completed).map(|progress| TaskProgress {
                progress_percentage: progress.progress_percentage,
                estimated_time_remaining: progress.estimated_time_remaining,
            }),
            task: TaskSummary::of(space, task, project_name),
            failures,
            waits_for: (!reasons.is_empty()).then_some(reasons),
            physical_log_size,
            activity_logs: tree,
            left_out,
        })
    }
}

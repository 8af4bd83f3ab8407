//! `get_task_raw`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::log::{self, LogPart, LogRange, ProblemCounts};
use crate::{
    octopus::{
        Id,
        tasks::{self, Task},
    },
    tool::{Context, Error, SpaceArg, TaskArg, Tool},
};

/// Read the log of a task, by default its end. beforeLine pages back, fromLine forward.
/// onlyProblems shows errors and warnings with their line numbers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetTaskRaw {
    space: Option<SpaceArg>,
    task_id: TaskArg,
    /// Return only lines of the categories Alert, Warning, Error and Fatal, and headings of failed
    /// steps.
    #[schemars(extend("default" = false))]
    only_problems: Option<bool>,
    /// Return lines before this line number.
    #[schemars(range(min = 2))]
    before_line: Option<u64>,
    /// Return lines from this line number on (first line: 1).
    from_line: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskLog {
    task_id: String,
    /// Lines of the log. With onlyProblems, each line begins with its number.
    text: String,
    /// Number of the first line in text.
    first_line: Option<u64>,
    /// Number of the last line in text.
    last_line: Option<u64>,
    /// Number of lines of the log; absent if only its beginning was read.
    total_lines: Option<u64>,
    /// Size of the log in bytes; absent if only its beginning was read.
    total_bytes: Option<u64>,
    /// Problems in the lines that were read, by category. Words such as "error" in other lines do
    /// not count.
    problems: ProblemCounts,
    /// The beforeLine of the previous lines. Absent at the beginning.
    next_before_line: Option<u64>,
    /// The fromLine of the next lines. Absent at the end.
    next_from_line: Option<u64>,
    hint: Option<String>,
    url: String,
}

impl Tool for GetTaskRaw {
    const NAME: &'static str = "get_task_raw";
    const TITLE: &'static str = "Read the log of a task";
    const TAKES_MAX_BYTES: bool = true;
    const KEEPS_TO_PROJECT: bool = true;

    type Output = TaskLog;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let id = Id::<Task>::parse(&self.task_id)?;
        let range = match (self.before_line, self.from_line) {
            (Some(_), Some(_)) => {
                return Err(Error::Invalid(
                    "give beforeLine to page back or fromLine to page forward, not both".to_owned(),
                ));
            }
            (Some(0 | 1), None) => {
                return Err(Error::Invalid(
                    "no line precedes line 1; expected beforeLine >= 2".to_owned(),
                ));
            }
            (Some(line), None) => LogRange::Before(line),
            (None, Some(line)) => LogRange::From(line.max(1)),
            (None, None) => LogRange::Before(u64::MAX),
        };
        let space = cx.resolve_space(self.space.as_deref()).await?;
        super::ensure_task_in_scope(&space, &id, cx).await?;
        let only_problems = self.only_problems == Some(true);
        let stream = tasks::log(&space, &id).await?;
        // The other fields of the answer take about 512 bytes.
        let max_bytes = cx.limits.answer.saturating_sub(512);
        let part = log::read(stream, range, only_problems, max_bytes, cx).await?;
        let hint = hint(&part, only_problems, range);
        Ok(TaskLog {
            url: space.portal().task(&id),
            task_id: id.into_string(),
            first_line: part.first,
            last_line: part.last,
            total_lines: part.total_lines,
            total_bytes: part.total_bytes,
            problems: part.problems,
            next_before_line: part.more_before.then_some(part.first).flatten(),
            next_from_line: part.more_after.then_some(part.last).flatten().map(|line| line + 1),
            hint,
            text: part.text,
        })
    }
}

fn hint(part: &LogPart, only_problems: bool, range: LogRange) -> Option<String> {
    if part.first.is_some() {
        return None;
    }
    Some(match (part.total_lines, range) {
        (Some(0), _) => "the log is empty; the task may not have started".to_owned(),
        _ if only_problems => {
            "no lines of the categories Alert, Warning, Error or Fatal here; leave out onlyProblems"
                .to_owned()
        }
        (Some(lines), LogRange::From(line)) if line > lines => {
            format!("the log ends at line {lines}")
        }
        _ => "this part of the log is empty".to_owned(),
    })
}

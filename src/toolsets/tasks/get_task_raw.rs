//! `get_task_raw`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::log::{self, Part, Wanted};
use crate::{
    octopus::{
        Id,
        tasks::{self, Task},
    },
    tool::{Context, Error, SpaceArg, TaskArg, Tool},
};

/// Read the log of a task, its end first; go back with beforeLine, forward with fromLine.
/// onlyProblems shows errors and warnings with their line numbers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetTaskRaw {
    space: Option<SpaceArg>,
    task_id: TaskArg,
    /// Errors, warnings, failed steps.
    only_problems: Option<bool>,
    /// Lines before this one, counted from 1.
    before_line: Option<u64>,
    /// Lines from this one on.
    from_line: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskLog {
    task_id: String,
    /// Lines of the log. With onlyProblems each begins with its number.
    text: String,
    /// The first line that is shown.
    first_line: Option<u64>,
    /// The last line that is shown.
    last_line: Option<u64>,
    /// How many lines the log has; absent where only its beginning was read.
    total_lines: Option<u64>,
    /// How many bytes the log has; absent where only its beginning was read.
    total_bytes: Option<u64>,
    /// How many of the lines that were read are errors, warnings or failed steps.
    problems: u64,
    /// Call again with this beforeLine for what comes before.
    next_before_line: Option<u64>,
    /// Call again with this fromLine for what comes after.
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
        let wanted = match (self.before_line, self.from_line) {
            (Some(_), Some(_)) => {
                return Err(Error::Invalid(
                    "give beforeLine to go back or fromLine to go forward, not both".to_owned(),
                ));
            }
            (Some(0 | 1), None) => {
                return Err(Error::Invalid("nothing comes before line 1".to_owned()));
            }
            (Some(line), None) => Wanted::Before(line),
            (None, Some(line)) => Wanted::From(line.max(1)),
            (None, None) => Wanted::Before(u64::MAX),
        };
        let space = cx.space(self.space.as_deref()).await?;
        super::keep(&space, &id, cx).await?;
        let only_problems = self.only_problems == Some(true);
        let stream = tasks::log(&space, &id).await?;
        // What stands around the text takes some.
        let room = cx.limits.answer.saturating_sub(512);
        let part = log::read(stream, wanted, only_problems, room, cx).await?;
        let hint = hint(&part, only_problems, wanted);
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

fn hint(part: &Part, only_problems: bool, wanted: Wanted) -> Option<String> {
    if part.first.is_some() {
        return None;
    }
    Some(match (part.total_lines, wanted) {
        (Some(0), _) => "the log is empty; the task may not have started".to_owned(),
        _ if only_problems => "no errors or warnings here; leave out onlyProblems".to_owned(),
        (Some(lines), Wanted::From(line)) if line > lines => {
            format!("the log ends at line {lines}")
        }
        _ => "there is nothing in this part of the log".to_owned(),
    })
}

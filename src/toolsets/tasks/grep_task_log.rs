//! `grep_task_log`.

use futures::StreamExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    octopus::{
        Id, Space,
        tasks::{self, Task},
    },
    text::grep::{Found, Grep},
    tool::{Context, Error, SpaceArg, TaskArg, Tool, uri},
    toolsets::search::{self, Answer, Search},
};

/// Search the whole log of a task, with the options of grep.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GrepTaskLog {
    space: Option<SpaceArg>,
    task_id: TaskArg,
    /// A regular expression.
    pattern: String,
    /// grep -i.
    case_insensitive: Option<bool>,
    /// grep -v.
    invert_match: Option<bool>,
    /// grep -F.
    fixed_string: Option<bool>,
    /// grep -B.
    #[schemars(range(max = 50))]
    before_context: Option<u32>,
    /// grep -A.
    #[schemars(range(max = 50))]
    after_context: Option<u32>,
    /// grep -m; 100.
    #[schemars(range(min = 1, max = 500))]
    max_count: Option<u32>,
    /// Matches to skip.
    offset: Option<u64>,
    /// Drop time and level first.
    strip_prefixes: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskLogMatches {
    space_name: String,
    task_id: String,
    pattern: String,
    #[serde(flatten)]
    answer: Answer,
    task_details_resource_uri: String,
    url: String,
}

impl Tool for GrepTaskLog {
    const NAME: &'static str = "grep_task_log";
    const TITLE: &'static str = "Search the log of a task";
    const KEEPS_TO_PROJECT: bool = true;

    type Output = TaskLogMatches;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let id = Id::<Task>::parse(&self.task_id)?;
        let search = self.search();
        let grep = search.begin(cx).await?;
        let space = cx.space(self.space.as_deref()).await?;
        super::keep(&space, &id, cx).await?;
        let found = read(&space, &id, grep, cx).await?;
        Ok(TaskLogMatches {
            answer: search.answer(found),
            task_details_resource_uri: uri([
                "spaces",
                space.name(),
                "tasks",
                id.as_str(),
                "details",
            ]),
            url: space.portal().task(&id),
            space_name: space.name().to_owned(),
            task_id: id.into_string(),
            pattern: self.pattern,
        })
    }
}

impl GrepTaskLog {
    fn search(&self) -> Search<'_> {
        Search {
            pattern: &self.pattern,
            case_insensitive: self.case_insensitive,
            invert_match: self.invert_match,
            fixed_string: self.fixed_string,
            before_context: self.before_context,
            after_context: self.after_context,
            max_count: self.max_count,
            offset: self.offset,
            strip_prefixes: self.strip_prefixes,
        }
    }
}

/// How often progress is told.
const TELL_EVERY: u64 = 1024 * 1024;
/// How many pieces that have arrived one job of the compute pool gets.
const TOGETHER: usize = 16;

/// Searches the log while it comes in. It is not kept for the next search, although the log of a
/// finished task never changes: Octopus reads it from a file, and a few of the large ones would
/// take more memory than all else here.
async fn read(space: &Space, id: &Id<Task>, mut grep: Grep, cx: &Context) -> Result<Found, Error> {
    let mut pieces = tasks::log(space, id).await?.ready_chunks(TOGETHER);
    let (mut bytes, mut told) = (0, 0);
    while let Some(arrived) = pieces.next().await {
        let arrived = arrived.into_iter().collect::<Result<Vec<_>, _>>()?;
        bytes += arrived.iter().map(|piece| piece.len() as u64).sum::<u64>();
        grep = search::push(grep, arrived, cx.compute()).await?;
        if bytes - told >= TELL_EVERY {
            told = bytes;
            cx.progress.report(told, || format!("{} MiB of the log searched", told / TELL_EVERY));
        }
    }
    search::finish(grep, cx.compute()).await
}

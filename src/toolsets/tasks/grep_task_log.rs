//! `grep_task_log`.

use futures::StreamExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    grep::{Grep, GrepResult},
    octopus::{
        Id, Space,
        tasks::{self, Task},
    },
    tool::{Context, Error, SpaceArg, TaskArg, Tool, resource_uri},
    toolsets::text_search::{self, Search, SearchAnswer},
};

/// Search the whole log of a task with the options of grep.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GrepTaskLog {
    space: Option<SpaceArg>,
    task_id: TaskArg,
    /// Regular expression, e.g. "timed? out".
    pattern: String,
    /// Ignore letter case (grep -i).
    #[schemars(extend("default" = false))]
    case_insensitive: Option<bool>,
    /// Return lines that do not match (grep -v).
    #[schemars(extend("default" = false))]
    invert_match: Option<bool>,
    /// Take the pattern as plain text (grep -F).
    #[schemars(extend("default" = false))]
    fixed_string: Option<bool>,
    /// Lines before each match (default 0, max 50).
    #[schemars(range(max = 50), extend("default" = 0))]
    before_context: Option<u32>,
    /// Lines after each match (default 0, max 50).
    #[schemars(range(max = 50), extend("default" = 0))]
    after_context: Option<u32>,
    /// Max matches (default 100, max 500).
    #[schemars(range(min = 1, max = 500), extend("default" = 100))]
    max_count: Option<u32>,
    /// Matches to skip (default 0).
    offset: Option<u64>,
    /// Remove time and level from each line before the search.
    #[schemars(extend("default" = false))]
    strip_prefixes: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskLogMatches {
    space_name: String,
    task_id: String,
    pattern: String,
    #[serde(flatten)]
    answer: SearchAnswer,
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
        let grep = search.start(cx).await?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        super::ensure_task_in_scope(&space, &id, cx).await?;
        let found = search_log(&space, &id, grep, cx).await?;
        Ok(TaskLogMatches {
            answer: search.answer(found),
            task_details_resource_uri: resource_uri([
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

/// Number of bytes between two progress reports.
const PROGRESS_INTERVAL_BYTES: u64 = 1024 * 1024;
/// Maximum number of received chunks for one job of the compute pool.
const CHUNKS_PER_JOB: usize = 16;

/// Searches the log while it is received.
///
/// The log is not cached, although the log of a finished task never changes: a few large logs would
/// take more memory than everything else, and Octopus only reads a file.
async fn search_log(
    space: &Space,
    id: &Id<Task>,
    mut grep: Grep,
    cx: &Context,
) -> Result<GrepResult, Error> {
    let mut chunks = tasks::log(space, id).await?.ready_chunks(CHUNKS_PER_JOB);
    let (mut bytes, mut reported) = (0, 0);
    while let Some(received) = chunks.next().await {
        let received = received.into_iter().collect::<Result<Vec<_>, _>>()?;
        bytes += received.iter().map(|piece| piece.len() as u64).sum::<u64>();
        grep = text_search::search_chunks(grep, received, cx.compute()).await?;
        if bytes - reported >= PROGRESS_INTERVAL_BYTES {
            reported = bytes;
            cx.progress.report(reported, || {
                format!("{} MiB of the log searched", reported / PROGRESS_INTERVAL_BYTES)
            });
        }
    }
    text_search::finish_search(grep, cx.compute()).await
}

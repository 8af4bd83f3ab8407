//! Raw log of a task, generated in parts.

use bytes::Bytes;

use super::build;
use super::tree::Activity;
use crate::VERSION;
use crate::clock::{duration, long_date, time_of_day};
use crate::database::{Database, SERVER_NODE, TaskFacts};

const NO_TIME: &str = "                    | ";
const PART: usize = 64 * 1024;

/// Returns the raw log in parts. At most one part is in memory.
pub(crate) fn raw(
    database: &Database,
    facts: &TaskFacts,
) -> impl Iterator<Item = Bytes> + Send + use<> {
    let mut rest =
        std::iter::once(header(database, facts)).chain(body(build::tree(database, facts), 0));
    std::iter::from_fn(move || {
        let mut part = rest.next()?;
        while part.len() < PART {
            match rest.next() {
                Some(line) => part.push_str(&line),
                None => break,
            }
        }
        Some(Bytes::from(part))
    })
}

/// Estimates the size of the log in bytes. The exact size is available only after writing it.
pub(crate) fn log_size(database: &Database, facts: &TaskFacts) -> usize {
    build::tree(database, facts).count() * 118
}

fn header(database: &Database, facts: &TaskFacts) -> String {
    let mut related = Vec::new();
    if let Some(deployment) = &facts.deployment {
        let channel =
            database.releases.find(&deployment.release_id).map(|release| release.text("ChannelId"));
        related.push(deployment.id.as_str());
        related.extend(channel);
        related.push(&deployment.environment_id);
        related.extend(facts.project_id.as_deref());
        related.push(&deployment.release_id);
        related.extend(deployment.tenant_id.as_deref());
    } else {
        related.extend(facts.project_id.as_deref());
    }
    related.extend(facts.space_id.as_deref());
    let or_dash = |moment: Option<i64>| moment.map_or_else(|| "-".to_owned(), long_date);
    format!(
        "Task ID:        {}\n\
         Related IDs:    {}\n\
         Task status:    {}\n\
         Task queued:    {}\n\
         Task started:   {}\n\
         Task completed: {}\n\
         Task duration:  {}\n\
         Server version: {VERSION}\n\
         Server node:    {SERVER_NODE}\n\n",
        facts.id,
        related.join(", "),
        facts.state.into_str(),
        long_date(facts.queued),
        or_dash(facts.started()),
        or_dash(facts.completed()),
        duration(facts.run_time()),
    )
}

/// Writes an activity and its descendants, line by line.
fn body(activity: Activity, depth: usize) -> Box<dyn Iterator<Item = String> + Send> {
    let indent = "  ".repeat(depth);
    let status = activity.status.log_name();
    let heading = if depth < 2 {
        format!("{NO_TIME}{indent}== {status}: {} ==\n", activity.name)
    } else {
        format!("{NO_TIME}{indent}{status}: {}\n", activity.name)
    };
    let gap = (depth == 1).then(|| format!("{NO_TIME}\n"));
    let lines = activity.all_lines().map(move |line| {
        let text = line.text.replace('\n', &format!("\n{NO_TIME}{indent}  "));
        format!("{}   {:<8} | {indent}  {text}\n", time_of_day(line.at), line.category)
    });
    let children = activity.children.into_iter().flat_map(move |child| body(child, depth + 1));
    Box::new(gap.into_iter().chain([heading]).chain(lines).chain(children))
}

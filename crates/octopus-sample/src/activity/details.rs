//! The answer to `/tasks/{id}/details`, written straight to text.

use serde_json::{Value, json};

use super::build;
use super::raw::log_size;
use super::tree::{Activity, Line, Status};
use crate::clock::stamp;
use crate::history::TaskFacts;
use crate::world::World;

/// Which lines somebody wants to see.
#[derive(Clone, Copy)]
struct Wanted {
    verbose: bool,
    /// Only the last lines of each activity.
    tail: Option<usize>,
}

/// The details of a task. `task` is the task itself, as JSON.
pub(crate) fn details(
    world: &World,
    facts: &TaskFacts,
    task: &str,
    verbose: bool,
    tail: Option<usize>,
) -> String {
    let root = build::tree(world, facts);
    let id = &facts.id;
    let waits = facts.pending_interruption().is_some();
    let (percentage, remaining) = match root.status {
        Status::Running if waits => (12, json!("5 minutes")),
        Status::Running => (48, json!("1 minute")),
        // A task that is over says zero as well.
        _ => (0, Value::Null),
    };
    let in_space = facts.space_id.as_deref().map(|space| format!("/{space}")).unwrap_or_default();
    let links = json!({
        "Self": format!("/api/tasks/{id}/details"),
        "Task": format!("/api/tasks/{id}"),
        "Web": format!("/app#{in_space}/tasks/{id}"),
        "Raw": format!("/api/tasks/{id}/raw"),
    });
    let progress = json!({ "ProgressPercentage": percentage, "EstimatedTimeRemaining": remaining });
    let mut text = format!("{{\"Task\":{task},\"ActivityLogs\":[");
    write(&mut text, &root, Wanted { verbose, tail }, percentage);
    let size = log_size(world, facts);
    text + &format!("],\"PhysicalLogSize\":{size},\"Progress\":{progress},\"Links\":{links}}}")
}

/// Writes an activity and all below it. `percentage` is how far it is, while it runs.
fn write(text: &mut String, activity: &Activity, wanted: Wanted, percentage: u8) {
    let head = json!({
        "Id": activity.id,
        "Name": activity.name,
        "Started": activity.started.map(stamp),
        "Ended": activity.ended.map(stamp),
        "Status": activity.status.name(),
        "ShowAtSummaryLevel": true,
    })
    .to_string();
    text.push_str(head.strip_suffix('}').unwrap_or(&head));
    text.push_str(",\"Children\":[");
    for (position, child) in activity.children.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        write(text, child, wanted, 0);
    }
    text.push_str("],\"LogElements\":[");
    for (position, line) in lines(activity, wanted).enumerate() {
        if position > 0 {
            text.push(',');
        }
        let element = json!({
            "OccurredAt": stamp(line.at), "Category": line.category, "MessageText": line.text,
            "Number": line.number,
        });
        text.push_str(&element.to_string());
    }
    text.push(']');
    if activity.status == Status::Running {
        let progress = format!(",\"ProgressPercentage\":{percentage},\"ProgressMessage\":\"\"");
        text.push_str(&progress);
    }
    text.push('}');
}

fn lines(activity: &Activity, wanted: Wanted) -> Box<dyn Iterator<Item = Line> + '_> {
    let shown = move |line: &Line| wanted.verbose || line.category != "Verbose";
    let Some(tail) = wanted.tail else {
        return Box::new(activity.all_lines().filter(shown));
    };
    // A long run of trace lines is not walked for its end when all of them count.
    if let Some(bulk) = activity.bulk.filter(|bulk| wanted.verbose && bulk.count >= tail) {
        return Box::new(bulk.tail(tail));
    }
    let mut last = std::collections::VecDeque::new();
    for line in activity.all_lines().filter(shown) {
        last.push_back(line);
        if last.len() > tail {
            last.pop_front();
        }
    }
    Box::new(last.into_iter())
}

//! Response to `/tasks/{id}/details`, written directly as JSON text.

use serde_json::{Value, json};

use super::build;
use super::raw::log_size;
use super::tree::{Activity, Line, Status};
use crate::clock::timestamp;
use crate::database::{Database, TaskFacts};

/// Selection of the log lines in the response.
#[derive(Clone, Copy)]
struct LineSelection {
    verbose: bool,
    /// Only the last lines of each activity.
    tail: Option<usize>,
}

/// Returns the details of a task. `task` is the JSON of the task itself.
pub(crate) fn details(
    database: &Database,
    facts: &TaskFacts,
    task: &str,
    verbose: bool,
    tail: Option<usize>,
) -> String {
    let root = build::tree(database, facts);
    let id = &facts.id;
    let waits = facts.pending_interruption().is_some();
    let (percentage, remaining) = match root.status {
        Status::Running if waits => (12, json!("5 minutes")),
        Status::Running => (48, json!("1 minute")),
        // Completed tasks report zero as well.
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
    write(&mut text, &root, LineSelection { verbose, tail }, percentage);
    let size = log_size(database, facts);
    text + &format!("],\"PhysicalLogSize\":{size},\"Progress\":{progress},\"Links\":{links}}}")
}

/// Writes an activity and its descendants. `percentage` is the progress of a running activity.
fn write(text: &mut String, activity: &Activity, selection: LineSelection, percentage: u8) {
    let head = json!({
        "Id": activity.id,
        "Name": activity.name,
        "Started": activity.started.map(timestamp),
        "Ended": activity.ended.map(timestamp),
        "Status": activity.status.into_str(),
        "ShowAtSummaryLevel": true,
    })
    .to_string();
    text.push_str(head.strip_suffix('}').unwrap_or(&head));
    text.push_str(",\"Children\":[");
    for (position, child) in activity.children.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        write(text, child, selection, 0);
    }
    text.push_str("],\"LogElements\":[");
    for (position, line) in lines(activity, selection).enumerate() {
        if position > 0 {
            text.push(',');
        }
        let element = json!({
            "OccurredAt": timestamp(line.at), "Category": line.category, "MessageText": line.text,
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

fn lines(activity: &Activity, selection: LineSelection) -> Box<dyn Iterator<Item = Line> + '_> {
    let shown = move |line: &Line| selection.verbose || line.category != "Verbose";
    let Some(tail) = selection.tail else {
        return Box::new(activity.all_lines().filter(shown));
    };
    // If all lines are wanted, long trace output is not searched for its tail.
    if let Some(trace_output) =
        activity.trace_output.filter(|trace_output| selection.verbose && trace_output.count >= tail)
    {
        return Box::new(trace_output.tail(tail));
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

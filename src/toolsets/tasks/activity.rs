//! The activity tree of a task, shortened: what failed first, then how everything ended.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    octopus::tasks::{Activity, LogElement},
    text::cut,
};

/// A node of the tree that failed without a child that did: a cause.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failure {
    /// The names from the task down to the node.
    path: Vec<String>,
    status: String,
    started: Option<String>,
    ended: Option<String>,
    /// Its last messages: errors and what came before them, oldest first.
    messages: Vec<String>,
}

/// The tree within its size, and what did not fit.
pub(super) struct Shown {
    pub(super) tree: Vec<Value>,
    pub(super) left_out: Option<String>,
}

/// How many failures are shown.
const FAILURES: usize = 10;
/// How many messages of a failure are shown.
const MESSAGES: usize = 40;
/// How long a message may be.
const MESSAGE: usize = 2_000;

/// The causes, those with a fatal message first, within about `room` bytes.
pub(super) fn failures(tree: &[Activity], room: usize) -> Vec<Failure> {
    let mut causes = Vec::new();
    for activity in tree {
        collect(activity, &mut Vec::new(), &mut causes);
    }
    causes.truncate(FAILURES);
    let share = room / causes.len().max(1);
    causes
        .into_iter()
        .map(|(path, activity)| Failure {
            path,
            status: activity.status.clone(),
            started: activity.started.clone(),
            ended: activity.ended.clone(),
            messages: last_messages(&activity.log_elements, share),
        })
        .collect()
}

fn collect<'a>(
    activity: &'a Activity,
    path: &mut Vec<String>,
    causes: &mut Vec<(Vec<String>, &'a Activity)>,
) {
    path.push(activity.name.clone());
    let before = causes.len();
    for child in &activity.children {
        collect(child, path, causes);
    }
    let is_cause = matches!(activity.status.as_str(), "Failed" | "Canceled" | "TimedOut");
    if is_cause && causes.len() == before {
        causes.push((path.clone(), activity));
    }
    path.pop();
}

fn last_messages(elements: &[LogElement], room: usize) -> Vec<String> {
    let mut left = room;
    let mut messages: Vec<String> = Vec::new();
    for element in elements.iter().rev().take(MESSAGES) {
        let message = message(element);
        match left.checked_sub(message.len() + 8) {
            Some(rest) => left = rest,
            None if messages.is_empty() => left = 0,
            None => break,
        }
        messages.push(message);
    }
    messages.reverse();
    messages
}

fn message(element: &LogElement) -> String {
    let mut message = format!("{}: {}", element.category, element.message_text.trim_end());
    if let Some(detail) = element.detail.as_deref().filter(|detail| !detail.trim().is_empty()) {
        message.push('\n');
        message.push_str(detail.trim_end());
    }
    if message.len() > MESSAGE {
        message = format!("{} ...", cut::head(&message, MESSAGE));
    }
    message
}

/// The tree: every node's end, and the messages of nodes that did not go well, or of all. Messages
/// go first where the room does not do, then the nodes deepest down.
pub(super) fn tree(tree: &[Activity], all_messages: bool, room: usize) -> Shown {
    let full: Vec<Value> = tree.iter().map(|node| show(node, all_messages, usize::MAX)).collect();
    let fits = |tree: &[Value]| serde_json::to_vec(tree).is_ok_and(|json| json.len() <= room);
    if fits(&full) {
        return Shown { tree: full, left_out: None };
    }
    for depth in [8, 4, 3, 2, 1] {
        let bare: Vec<Value> = tree.iter().map(|node| bare(node, depth)).collect();
        if fits(&bare) || depth == 1 {
            let left_out = format!(
                "messages, and nodes below depth {depth}; get_task_raw pages through the whole log"
            );
            return Shown { tree: bare, left_out: Some(left_out) };
        }
    }
    Shown { tree: Vec::new(), left_out: None }
}

fn show(node: &Activity, all_messages: bool, depth: usize) -> Value {
    let mut shown = bare(node, 0);
    if let Value::Object(object) = &mut shown {
        let went_well = matches!(node.status.as_str(), "Success" | "Skipped" | "Pending");
        if (all_messages || !went_well) && !node.log_elements.is_empty() {
            let messages: Vec<_> = node.log_elements.iter().map(message).collect();
            object.insert("messages".to_owned(), json!(messages));
        }
        if depth > 0 && !node.children.is_empty() {
            let children: Vec<_> =
                node.children.iter().map(|child| show(child, all_messages, depth - 1)).collect();
            object.insert("children".to_owned(), json!(children));
        }
    }
    shown
}

fn bare(node: &Activity, depth: usize) -> Value {
    let mut bare = json!({
        "name": node.name,
        "status": node.status,
        "started": node.started,
        "ended": node.ended,
    });
    if let Value::Object(object) = &mut bare
        && depth > 0
        && !node.children.is_empty()
    {
        let children: Vec<_> = node.children.iter().map(|c| self::bare(c, depth - 1)).collect();
        object.insert("children".to_owned(), json!(children));
    }
    bare
}

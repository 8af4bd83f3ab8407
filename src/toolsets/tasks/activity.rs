//! Shortens the activity tree of a task: failures first, then the outcome of every step.
//!
//! [`redact`] removes secrets, [`causes`] finds the nodes that failed, [`failures`] and [`tree`]
//! build the two parts of the answer.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    compute::JobStopped,
    octopus::tasks::{Activity, LogElement},
    sanitize::{line_sanitizer::LineSanitizer, sanitize},
    text::{step_counter, truncate},
};

/// Returns an error if the compute job must stop.
pub(super) type Check<'a> = &'a dyn Fn() -> Result<(), JobStopped>;

/// A failed node of the tree without a failed child.
pub(super) struct Cause<'a> {
    /// Names from the task down to the node; empty if the cause is not shown.
    path: Vec<&'a str>,
    activity: &'a Activity,
}

/// A failure in the answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failure {
    /// Names from the task down to the failed node.
    path: Vec<String>,
    status: String,
    started: Option<String>,
    ended: Option<String>,
    /// The last messages of the node, oldest first.
    messages: Vec<String>,
}

/// The shortened tree, and a description of the omitted parts.
pub(super) struct ShortenedTree {
    pub(super) tree: Vec<Value>,
    pub(super) left_out: Option<String>,
}

/// Maximum number of failures in the answer.
const MAX_FAILURES: usize = 10;
/// Maximum number of messages of a failure.
const MAX_MESSAGES: usize = 40;
/// Maximum bytes of a message.
const MAX_MESSAGE_BYTES: usize = 2_000;
/// Number of messages between two checks of the compute budget.
const MESSAGES_PER_CHECK: usize = 64;
/// Minimum bytes to which a message is shortened.
const MIN_MESSAGE_BYTES: usize = 200;

/// Redacts secrets that are detected only together with preceding messages.
///
/// The answer omits messages and beginnings of messages, so the sanitizer could not detect these
/// secrets later.
pub(super) fn redact(tree: &mut [Activity], check: Check<'_>) -> Result<(), JobStopped> {
    for activity in tree {
        check()?;
        let mut lines = LineSanitizer::default();
        for (number, element) in activity.log_elements.iter_mut().enumerate() {
            if number % MESSAGES_PER_CHECK == 0 {
                check()?;
            }
            for text in [Some(&mut element.message_text), element.detail.as_mut()] {
                if let Some(text) = text.filter(|text| !text.is_empty())
                    && let Some(hidden) = lines.redact_with_context(text.as_bytes())
                {
                    *text = hidden;
                }
            }
        }
        redact(&mut activity.children, check)?;
    }
    Ok(())
}

/// Returns the causes: failed nodes, then canceled nodes, each in tree order.
///
/// If the task waits for a person (`waits`), a node that is still running after an error is a cause
/// as well (guided failure).
pub(super) fn causes(tree: &[Activity], waits_for_person: bool) -> Vec<Cause<'_>> {
    let (mut causes, mut remaining) = (Vec::new(), [MAX_FAILURES; 2]);
    for activity in tree {
        collect(activity, waits_for_person, &mut Vec::new(), &mut causes, &mut remaining);
    }
    causes.sort_by_key(|cause| cause.activity.status == "Canceled");
    causes
}

fn collect<'a>(
    activity: &'a Activity,
    waits_for_person: bool,
    path: &mut Vec<&'a str>,
    causes: &mut Vec<Cause<'a>>,
    remaining: &mut [usize; 2],
) {
    path.push(&activity.name);
    let before = causes.len();
    for child in &activity.children {
        collect(child, waits_for_person, path, causes, remaining);
    }
    let is_error = |element: &LogElement| matches!(element.category.as_str(), "Error" | "Fatal");
    let is_cause = match activity.status.as_str() {
        "Failed" | "Canceled" | "TimedOut" => true,
        "Running" => waits_for_person && activity.log_elements.iter().any(is_error),
        _ => false,
    };
    if is_cause && causes.len() == before {
        // Causes that are not shown need no path, because a deep tree can have many causes.
        let [failed, canceled] = remaining;
        let remaining = if activity.status == "Canceled" { canceled } else { failed };
        let path = if *remaining > 0 { path.clone() } else { Vec::new() };
        *remaining = remaining.saturating_sub(1);
        causes.push(Cause { path, activity });
    }
    path.pop();
}

/// Returns the first causes in the form of the answer, in about `max_bytes` bytes.
pub(super) fn failures(causes: &[Cause<'_>], max_bytes: usize) -> Vec<Failure> {
    let share = max_bytes / causes.len().clamp(1, MAX_FAILURES);
    let shown = causes.iter().take(MAX_FAILURES).map(|Cause { path, activity }| Failure {
        path: path.iter().map(|name| (*name).to_owned()).collect(),
        status: activity.status.clone(),
        started: activity.started.clone(),
        ended: activity.ended.clone(),
        messages: last_messages(&activity.log_elements, share),
    });
    shown.collect()
}

fn last_messages(elements: &[LogElement], max_bytes: usize) -> Vec<String> {
    let mut remaining = max_bytes;
    let mut messages: Vec<String> = Vec::new();
    for element in elements.iter().rev().take(MAX_MESSAGES) {
        let message = message(element, max_bytes);
        match remaining.checked_sub(json!(message).to_string().len() + 1) {
            Some(rest) => remaining = rest,
            None if messages.is_empty() => remaining = 0,
            None => break,
        }
        messages.push(message);
    }
    messages.reverse();
    messages
}

/// Returns category, message and details, shortened to about `max_bytes` bytes.
fn message(element: &LogElement, max_bytes: usize) -> String {
    let longest = max_bytes.clamp(MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES);
    let mut message = format!("{}: {}", element.category, element.message_text.trim_end());
    if let Some(detail) = element.detail.as_deref().filter(|detail| !detail.trim().is_empty()) {
        message.push('\n');
        message.push_str(detail.trim_end());
    }
    if message.len() > longest {
        // Secrets are detected only in complete texts, so redact before shortening.
        message = format!("{} ...", truncate::head(&sanitize(&message).text, longest));
    }
    message
}

/// A node with computed properties, so that they are not computed again for each attempt and each
/// level above.
struct Node<'a> {
    activity: &'a Activity,
    /// `true` if `failures` shows the messages of the node.
    is_in_failures: bool,
    /// `true` if the node and all nodes below it succeeded.
    is_all_successful: bool,
    children: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    fn of(activity: &'a Activity, shown_causes: &[&Cause<'_>]) -> Self {
        step_counter::add(1);
        let children: Vec<Self> =
            activity.children.iter().map(|child| Self::of(child, shown_causes)).collect();
        Self {
            activity,
            is_in_failures: shown_causes.iter().any(|cause| std::ptr::eq(cause.activity, activity)),
            is_all_successful: is_successful(activity)
                && children.iter().all(|child| child.is_all_successful),
            children,
        }
    }
}

/// The level of detail of the tree.
struct DetailLevel {
    messages: ShownMessages,
    /// `true` if succeeded nodes are shown, `false` if only their number is shown.
    all_nodes: bool,
}

#[derive(Clone, Copy)]
enum ShownMessages {
    None,
    Unsuccessful,
    All,
}

/// Returns the tree in at most `max_bytes` bytes, if possible, without the messages that `failures`
/// shows.
///
/// Reduces the level of detail until the tree fits. Messages of succeeded nodes, then succeeded
/// nodes, then all messages, then the deepest nodes are omitted.
pub(super) fn tree(
    tree: &[Activity],
    shown_causes: &[&Cause<'_>],
    all_messages: bool,
    max_bytes: usize,
    check: Check<'_>,
) -> Result<ShortenedTree, JobStopped> {
    let shown_messages =
        if all_messages { ShownMessages::All } else { ShownMessages::Unsuccessful };
    let whole = usize::MAX;
    let attempts = [
        (shown_messages, true, whole, None),
        (ShownMessages::Unsuccessful, true, whole, Some("messages of succeeded steps")),
        (ShownMessages::Unsuccessful, false, whole, Some("succeeded steps, except their number")),
        (ShownMessages::None, false, whole, Some("succeeded steps, except their number; messages")),
        (ShownMessages::None, false, 3, Some("succeeded steps; messages; nodes below targets")),
        (ShownMessages::None, false, 1, Some("messages; nodes below steps")),
    ];
    let last = attempts.len() - 1;
    let nodes: Vec<Node> = tree.iter().map(|activity| Node::of(activity, shown_causes)).collect();
    for (attempt, (messages, all_nodes, depth, left_out)) in attempts.into_iter().enumerate() {
        let style = DetailLevel { messages, all_nodes };
        let show = |node| {
            check()?;
            Ok(style.show(node, depth))
        };
        let tree: Vec<Value> = nodes.iter().map(show).collect::<Result<_, JobStopped>>()?;
        let size = serde_json::to_vec(&tree).map_or(0, |json| json.len());
        if size <= max_bytes || attempt == last {
            return Ok(ShortenedTree { tree, left_out: left_out.map(str::to_owned) });
        }
    }
    Ok(ShortenedTree { tree: Vec::new(), left_out: None })
}

impl DetailLevel {
    fn show(&self, node: &Node<'_>, depth: usize) -> Value {
        step_counter::add(1);
        let Node { activity: node, is_in_failures, children: all, .. } = node;
        let mut shown = json!({
            "name": node.name,
            "status": node.status,
            "started": node.started,
            "ended": node.ended,
        });
        let Value::Object(object) = &mut shown else { return shown };
        let with_messages = match self.messages {
            ShownMessages::None => false,
            ShownMessages::Unsuccessful => !is_successful(node) && !*is_in_failures,
            ShownMessages::All => !*is_in_failures,
        };
        if with_messages && !node.log_elements.is_empty() {
            let messages: Vec<_> = node
                .log_elements
                .iter()
                .map(|element| message(element, MAX_MESSAGE_BYTES))
                .collect();
            object.insert("messages".to_owned(), json!(messages));
        }
        let is_shown =
            |child: &&Node<'_>| depth > 0 && (self.all_nodes || !child.is_all_successful);
        let children: Vec<_> = all.iter().filter(is_shown).collect();
        if !self.all_nodes && children.len() < all.len() {
            let succeeded = all.iter().filter(|child| child.is_all_successful).count();
            object.insert("wentWell".to_owned(), json!(succeeded));
        }
        if !children.is_empty() {
            let children = children.into_iter().map(|child| self.show(child, depth - 1));
            object.insert("children".to_owned(), children.collect());
        }
        shown
    }
}

fn is_successful(node: &Activity) -> bool {
    matches!(node.status.as_str(), "Success" | "Skipped" | "Pending")
}

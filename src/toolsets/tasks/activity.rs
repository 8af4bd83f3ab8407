//! Shortens the activity tree of a task: failures first, then the outcome of every step.
//!
//! [`redact`] removes secrets, [`causes`] finds the ends of the failing paths, [`failures`],
//! [`waits_for`] and [`tree`] build the parts of the answer.

use std::collections::{HashMap, HashSet};

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

/// A node at the end of a failing path: it and all its parents failed, and none of its children did.
pub(super) struct Cause<'a> {
    /// The nodes from the task down to the cause, without it; empty if the cause is not shown.
    parents: Vec<&'a Activity>,
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
    /// Error and fatal messages of the node, then of its parents. The last messages of the node if
    /// it has no errors.
    messages: Vec<String>,
}

/// The shortened tree, and a description of the omitted parts.
pub(super) struct ShortenedTree {
    pub(super) tree: Vec<Value>,
    pub(super) left_out: Option<String>,
}

/// Maximum number of failures in the answer.
const MAX_FAILURES: usize = 10;
/// Maximum number of messages of a failed node.
const MAX_MESSAGES: usize = 40;
/// Maximum number of messages of each parent of a failed node.
const MAX_PARENT_MESSAGES: usize = 5;
/// Maximum number of messages about the reasons why a task waits.
const MAX_WAIT_MESSAGES: usize = 10;
/// Maximum bytes of a message about the reason why a task waits.
const MAX_WAIT_MESSAGE_BYTES: usize = 300;
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
/// A failed node below a successful one is not a cause: a retry succeeded, or the failure was
/// ignored. Neither is a failed attempt that a later attempt beside it replaced. If the task waits
/// for a person (`waits_for_person`), a node that is still running after an error is a cause as
/// well (guided failure).
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
    parents: &mut Vec<&'a Activity>,
    causes: &mut Vec<Cause<'a>>,
    remaining: &mut [usize; 2],
) {
    if has_succeeded(activity) {
        return;
    }
    let before = causes.len();
    parents.push(activity);
    for (child, is_replaced) in activity.children.iter().zip(replaced_attempts(&activity.children))
    {
        if !is_replaced {
            collect(child, waits_for_person, parents, causes, remaining);
        }
    }
    parents.pop();
    let is_cause = match activity.status.as_str() {
        "Failed" | "Canceled" | "TimedOut" => true,
        "Running" => waits_for_person && activity.log_elements.iter().any(is_error),
        _ => false,
    };
    if is_cause && causes.len() == before {
        // Causes that are not shown need no path, because a deep tree can have many causes.
        let [failed, canceled] = remaining;
        let remaining = if activity.status == "Canceled" { canceled } else { failed };
        let parents = if *remaining > 0 { parents.clone() } else { Vec::new() };
        *remaining = remaining.saturating_sub(1);
        causes.push(Cause { parents, activity });
    }
}

/// Returns for each node whether it failed and a later node beside it is a successful attempt at
/// the same work, such as `Retry: web-01` after `web-01`.
fn replaced_attempts(nodes: &[Activity]) -> Vec<bool> {
    let mut successful = HashSet::new();
    let mut replaced = vec![false; nodes.len()];
    for (node, is_replaced) in nodes.iter().zip(&mut replaced).rev() {
        if has_succeeded(node) {
            successful.insert(name_without_attempt(&node.name));
        } else if !successful.is_empty() {
            *is_replaced = successful.contains(&name_without_attempt(&node.name));
        }
    }
    replaced
}

/// Returns the words of a name in lower case, without the words that count attempts, such as
/// `Retry:`, `(attempt 2 of 3)` or `Retry attempt #1`.
fn name_without_attempt(name: &str) -> String {
    let words = name.split(|letter: char| {
        letter.is_whitespace() || matches!(letter, '(' | ')' | '[' | ']' | ':' | '#' | ',')
    });
    let (mut rest, mut is_count) = (String::new(), false);
    for word in words.filter(|word| !word.is_empty()).map(str::to_lowercase) {
        is_count = matches!(word.as_str(), "retry" | "retrying" | "attempt")
            || is_count && (word == "of" || word.bytes().all(|byte| byte.is_ascii_digit()));
        if !is_count {
            rest.push_str(&word);
            rest.push(' ');
        }
    }
    rest
}

fn is_error(element: &LogElement) -> bool {
    matches!(element.category.as_str(), "Error" | "Fatal")
}

/// Returns the first causes in the form of the answer, in about `max_bytes` bytes.
///
/// Messages of a node above several causes are listed with the first of them.
pub(super) fn failures(causes: &[Cause<'_>], max_bytes: usize) -> Vec<Failure> {
    let share = max_bytes / causes.len().clamp(1, MAX_FAILURES);
    let mut listed_parents = HashSet::new();
    let shown = causes.iter().take(MAX_FAILURES).map(|Cause { parents, activity }| {
        let mut parent_messages = Vec::new();
        for parent in parents.iter().rev() {
            if listed_parents.insert(std::ptr::from_ref(*parent)) {
                let errors = parent.log_elements.iter().filter(|element| is_error(element));
                parent_messages.extend(last_messages(errors, MAX_PARENT_MESSAGES, share / 8));
            }
        }
        let spent = parent_messages.iter().map(|message| json!(message).to_string().len() + 1);
        let max_bytes = share.saturating_sub(spent.sum());
        let mut messages = if activity.log_elements.iter().any(is_error) {
            let errors = activity.log_elements.iter().filter(|element| is_error(element));
            last_messages(errors, MAX_MESSAGES, max_bytes)
        } else {
            last_messages(activity.log_elements.iter(), MAX_MESSAGES, max_bytes)
        };
        messages.append(&mut parent_messages);
        let path = parents.iter().chain([activity]);
        Failure {
            path: path.map(|node| node.name.clone()).collect(),
            status: activity.status.clone(),
            started: activity.started.clone(),
            ended: activity.ended.clone(),
            messages,
        }
    });
    shown.collect()
}

fn last_messages<'a>(
    elements: impl DoubleEndedIterator<Item = &'a LogElement>,
    max_messages: usize,
    max_bytes: usize,
) -> Vec<String> {
    let mut remaining = max_bytes;
    let mut messages: Vec<String> = Vec::new();
    for element in elements.rev().take(max_messages) {
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

/// Returns the reasons why a task waits, from its `Wait` messages: those of pending nodes, and of
/// running nodes whose last message is one.
pub(super) fn waits_for(tree: &[Activity]) -> Vec<String> {
    let mut reasons = Vec::new();
    collect_wait_messages(tree, &mut reasons);
    reasons
}

fn collect_wait_messages(tree: &[Activity], reasons: &mut Vec<String>) {
    let is_wait = |element: &&LogElement| element.category == "Wait";
    for activity in tree {
        let elements = &activity.log_elements;
        let waits: Vec<&LogElement> = match activity.status.as_str() {
            "Pending" => elements.iter().filter(is_wait).collect(),
            "Running" => elements.last().filter(is_wait).into_iter().collect(),
            _ => continue,
        };
        for element in waits {
            let reason = shortened(element.message_text.trim_end(), MAX_WAIT_MESSAGE_BYTES);
            if reasons.len() < MAX_WAIT_MESSAGES && !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        collect_wait_messages(&activity.children, reasons);
    }
}

/// Returns category, message and details, shortened to about `max_bytes` bytes.
fn message(element: &LogElement, max_bytes: usize) -> String {
    let longest = max_bytes.clamp(MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES);
    let mut message = format!("{}: {}", element.category, element.message_text.trim_end());
    if let Some(detail) = element.detail.as_deref().filter(|detail| !detail.trim().is_empty()) {
        message.push('\n');
        message.push_str(detail.trim_end());
    }
    shortened(&message, longest)
}

fn shortened(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    // Secrets are detected only in complete texts, so redact before shortening.
    format!("{} ...", truncate::head(&sanitize(text).text, max_bytes))
}

/// The messages of a node that `failures` lists.
#[derive(Clone, Copy)]
enum ListedMessages {
    None,
    Errors,
    All,
}

/// Returns the messages that `failures` lists for these causes, for each node with such messages.
fn listed_messages(causes: &[&Cause<'_>]) -> HashMap<*const Activity, ListedMessages> {
    let mut listed = HashMap::new();
    for Cause { parents, activity } in causes {
        let has_errors = activity.log_elements.iter().any(is_error);
        let own = if has_errors { ListedMessages::Errors } else { ListedMessages::All };
        listed.insert(std::ptr::from_ref(*activity), own);
        for parent in parents {
            listed.insert(std::ptr::from_ref(*parent), ListedMessages::Errors);
        }
    }
    listed
}

/// A node with computed properties, so that they are not computed again for each attempt and each
/// level above.
struct Node<'a> {
    activity: &'a Activity,
    /// The messages of the node that `failures` lists.
    listed: ListedMessages,
    /// `true` if the node and all nodes below it succeeded.
    is_all_successful: bool,
    children: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    fn of(activity: &'a Activity, listed: &HashMap<*const Activity, ListedMessages>) -> Self {
        step_counter::add(1);
        let children: Vec<Self> =
            activity.children.iter().map(|child| Self::of(child, listed)).collect();
        let own = listed.get(&std::ptr::from_ref(activity));
        Self {
            activity,
            listed: own.copied().unwrap_or(ListedMessages::None),
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
    let listed = listed_messages(shown_causes);
    let nodes: Vec<Node> = tree.iter().map(|activity| Node::of(activity, &listed)).collect();
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
        let Node { activity: node, listed, children: all, .. } = node;
        let mut shown = json!({
            "name": node.name,
            "status": node.status,
            "started": node.started,
            "ended": node.ended,
        });
        let Value::Object(object) = &mut shown else { return shown };
        let with_messages = match self.messages {
            ShownMessages::None => false,
            ShownMessages::Unsuccessful => !is_successful(node),
            ShownMessages::All => true,
        };
        if with_messages {
            let is_unlisted = |element: &&LogElement| match listed {
                ListedMessages::None => true,
                ListedMessages::Errors => !is_error(element),
                ListedMessages::All => false,
            };
            let unlisted = node.log_elements.iter().filter(is_unlisted);
            let messages: Vec<_> =
                unlisted.map(|element| message(element, MAX_MESSAGE_BYTES)).collect();
            if !messages.is_empty() {
                object.insert("messages".to_owned(), json!(messages));
            }
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

/// Returns whether a node ended well, with or without warnings.
fn has_succeeded(node: &Activity) -> bool {
    matches!(node.status.as_str(), "Success" | "SuccessWithWarning" | "Skipped")
}

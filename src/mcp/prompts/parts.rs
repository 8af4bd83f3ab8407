//! Arguments and steps that several prompts use.

use super::{Argument, SPACE, Step, Words};

pub(super) const fn needed(name: &'static str, description: &'static str) -> Argument {
    Argument { name, description, is_required: true }
}

pub(super) const fn optional(name: &'static str, description: &'static str) -> Argument {
    Argument { name, description, is_required: false }
}

/// A required step: the prompt is hidden without its tool.
pub(super) const fn first(tool: &'static str, words: Words) -> Step {
    Step { tool, words, is_optional: false }
}

/// An optional step: it is left out without its tool.
pub(super) const fn perhaps(tool: &'static str, words: Words) -> Step {
    Step { tool, words, is_optional: true }
}

pub(super) const IN_SPACE: Argument = needed(SPACE, "Name, slug or ID of the space.");
pub(super) const PROJECT: Argument = needed("project", "Name, slug or ID of the project.");

/// Searches the log of the task.
pub(super) const LOOK_INTO_LOG: Step = perhaps(
    "grep_task_log",
    &["If that does not explain it, call {tool} on the same task for words such as error, fail, \
         denied, timed out or exit code, with a few lines of context each."],
);

//! What prompts are made of.

use super::{Argument, SPACE, Step, Words};

pub(super) const fn needed(name: &'static str, description: &'static str) -> Argument {
    Argument { name, description, is_required: true }
}

pub(super) const fn optional(name: &'static str, description: &'static str) -> Argument {
    Argument { name, description, is_required: false }
}

/// A step without which the prompt makes no sense.
pub(super) const fn first(tool: &'static str, words: Words) -> Step {
    Step { tool, words, is_optional: false }
}

/// A step that is left out where its tool is off.
pub(super) const fn perhaps(tool: &'static str, words: Words) -> Step {
    Step { tool, words, is_optional: true }
}

pub(super) const IN_SPACE: Argument = needed(SPACE, "The space: its name, slug or ID.");
pub(super) const PROJECT: Argument = needed("project", "The project: its name, slug or ID.");

/// How to look into a log, which several prompts do.
pub(super) const LOOK_INTO_LOG: Step = perhaps(
    "grep_task_log",
    &["Where that does not explain it, call {tool} on the same task for words like error, fail, \
         denied, timed out or exit code, with a few lines around each."],
);

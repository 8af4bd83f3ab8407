//! What prompts are made of.

use super::{Argument, SPACE, Step, Words};

pub(super) const fn needed(name: &'static str, description: &'static str) -> Argument {
    Argument { name, description, is_required: true }
}

pub(super) const fn optional(name: &'static str, description: &'static str) -> Argument {
    Argument { name, description, is_required: false }
}

pub(super) const fn first(ways: &'static [(&'static str, Words)]) -> Step {
    Step { ways, is_optional: false }
}

pub(super) const fn perhaps(ways: &'static [(&'static str, Words)]) -> Step {
    Step { ways, is_optional: true }
}

pub(super) const IN_SPACE: Argument = needed(SPACE, "The space: its name, slug or ID.");
pub(super) const PROJECT: Argument = needed("project", "The project: its name, slug or ID.");

/// How to look into a log, which several prompts do.
pub(super) const LOOK_INTO_LOG: Step = perhaps(&[
    (
        "grep_task_log",
        &["Where that does not explain it, call {tool} on the same task for words like error, \
             fail, denied, timed out or exit code, with a few lines around each."],
    ),
    ("get_task_raw", &["Where that does not explain it, page through the log with {tool}."]),
]);

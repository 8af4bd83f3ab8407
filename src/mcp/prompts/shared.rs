//! Arguments and steps that several prompts use.

use super::{ArgumentDefinition, PromptStep, SPACE, Template};

pub(super) const fn required(name: &'static str, description: &'static str) -> ArgumentDefinition {
    ArgumentDefinition { name, description, is_required: true }
}

pub(super) const fn optional(name: &'static str, description: &'static str) -> ArgumentDefinition {
    ArgumentDefinition { name, description, is_required: false }
}

/// A required step: the prompt is hidden without its tool.
pub(super) const fn required_step(tool: &'static str, template: Template) -> PromptStep {
    PromptStep { tool, template, is_optional: false }
}

/// An optional step: it is omitted without its tool.
pub(super) const fn optional_step(tool: &'static str, template: Template) -> PromptStep {
    PromptStep { tool, template, is_optional: true }
}

pub(super) const SPACE_ARGUMENT: ArgumentDefinition =
    required(SPACE, "Name, slug or ID of the space.");
pub(super) const PROJECT_ARGUMENT: ArgumentDefinition =
    required("project", "Name, slug or ID of the project.");

/// Searches the log of the task.
pub(super) const SEARCH_LOG: PromptStep = optional_step(
    "grep_task_log",
    &["If that does not explain it, call {tool} on the same task for words such as error, fail, \
         denied, timed out or exit code, with a few lines of context each."],
);

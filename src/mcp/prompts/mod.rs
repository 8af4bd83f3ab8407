//! Prompts: common tasks as steps that name the tools to call.
//!
//! Each prompt is a constant in its own file. A step whose tool is not accessible is omitted; if
//! the step is required, the whole prompt is hidden.

mod diagnose_failed_deployment;
mod investigate_task;
mod prepare_promotion;
mod release_notes_between;
mod render;
mod shared;
mod tenant_readiness;
mod what_is_deployed_where;

use rmcp::{
    ErrorData,
    model::{GetPromptRequestParams, GetPromptResult, Prompt, PromptArgument, PromptMessage, Role},
};

use crate::access::{RequestScope, ToolAccess};

/// The definition of a prompt.
pub(super) struct PromptDefinition {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    arguments: &'static [ArgumentDefinition],
    /// The task, before the steps.
    task: Template,
    steps: &'static [PromptStep],
    /// The expected content of the answer.
    answer: &'static str,
}

/// An argument of a prompt.
struct ArgumentDefinition {
    name: &'static str,
    description: &'static str,
    is_required: bool,
}

/// A sentence template in pieces. `{tool}` is the tool of the step; any other `{name}` is an
/// argument. A piece whose argument is missing is omitted.
type Template = &'static [&'static str];

/// A step of a prompt.
struct PromptStep {
    tool: &'static str,
    template: Template,
    /// `true` if the prompt is listed even without this step.
    is_optional: bool,
}

/// Arguments that the settings or the request can pin.
const SPACE: &str = "space";
const PROJECT: &str = "project";

/// All prompts, in list order.
const ALL: &[&PromptDefinition] = &[
    &diagnose_failed_deployment::PROMPT,
    &what_is_deployed_where::PROMPT,
    &release_notes_between::PROMPT,
    &prepare_promotion::PROMPT,
    &tenant_readiness::PROMPT,
    &investigate_task::PROMPT,
];

/// Returns the static name of a prompt, or `None` if it does not exist.
pub(super) fn known_name(name: &str) -> Option<&'static str> {
    ALL.iter().find(|prompt| prompt.name == name).map(|prompt| prompt.name)
}

/// The prompts that a request can see.
pub(super) struct Prompts<'a> {
    access: &'a ToolAccess,
    /// The pinned project, which replaces the `project` argument.
    project: Option<&'a str>,
}

impl<'a> Prompts<'a> {
    /// Creates the prompts for this access and request scope.
    pub(super) fn new(policy: &'a ToolAccess, scope: &'a RequestScope) -> Self {
        Self { access: policy, project: scope.project.as_deref() }
    }

    fn visible(&self) -> impl Iterator<Item = &'static PromptDefinition> {
        ALL.iter().copied().filter(|prompt| {
            prompt
                .steps
                .iter()
                .all(|step| step.is_optional || self.access.is_visible_by_name(step.tool))
        })
    }

    fn find(&self, name: &str) -> Result<&'static PromptDefinition, ErrorData> {
        self.visible().find(|prompt| prompt.name == name).ok_or_else(|| {
            let message = format!("unknown prompt: {}", name.escape_debug());
            ErrorData::invalid_params(message, None)
        })
    }

    fn arguments(
        &self,
        prompt: &PromptDefinition,
    ) -> impl Iterator<Item = &'static ArgumentDefinition> {
        let pinned = self.access.pinned();
        prompt.arguments.iter().filter(move |argument| match argument.name {
            SPACE => !pinned.space,
            PROJECT => !pinned.project,
            _ => true,
        })
    }

    /// Returns the visible prompts without pinned arguments.
    pub(super) fn list(&self) -> Vec<Prompt> {
        let listed = |prompt: &'static PromptDefinition| {
            let arguments = self.arguments(prompt).map(|argument| {
                PromptArgument::new(argument.name)
                    .with_description(argument.description)
                    .with_required(argument.is_required)
            });
            Prompt::new(prompt.name, Some(prompt.description), Some(arguments.collect()))
                .with_title(prompt.title)
        };
        self.visible().map(listed).collect()
    }

    /// Returns a prompt with its arguments filled in.
    ///
    /// # Errors
    ///
    /// "Invalid params" for an unknown prompt or invalid arguments.
    pub(super) fn get(&self, params: GetPromptRequestParams) -> Result<GetPromptResult, ErrorData> {
        let prompt = self.find(&params.name)?;
        let accepted: Vec<&ArgumentDefinition> = self.arguments(prompt).collect();
        let mut given = render::parse_arguments(&accepted, params.arguments.unwrap_or_default())?;
        if let Some(project) = self.project
            && prompt.arguments.iter().any(|argument| argument.name == PROJECT)
        {
            given.insert(PROJECT, render::quote(project));
        }
        let steps = prompt.steps.iter().filter(|step| self.access.is_visible_by_name(step.tool));
        let text = render::prompt_text(prompt, steps, &given);
        let message = PromptMessage::new_text(Role::User, text);
        Ok(GetPromptResult::new(vec![message]).with_description(prompt.description))
    }

    /// Checks that a prompt has this argument.
    pub(super) fn check_argument(&self, prompt: &str, argument: &str) -> Result<(), ErrorData> {
        let prompt = self.find(prompt)?;
        let mut accepted = self.arguments(prompt);
        if accepted.any(|accepted| accepted.name == argument) {
            return Ok(());
        }
        let argument = argument.escape_debug();
        let message = format!("prompt {} has no argument `{argument}`", prompt.name);
        Err(ErrorData::invalid_params(message, None))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn placeholders_are_arguments_or_the_tool() {
        for prompt in ALL {
            let names: BTreeSet<&str> = prompt.arguments.iter().map(|a| a.name).collect();
            let pieces = prompt.steps.iter().flat_map(|step| step.template).chain(prompt.task);
            for piece in pieces {
                for name in render::placeholders(piece) {
                    assert!(name == "tool" || names.contains(name), "{}: {name}", prompt.name);
                }
            }
            assert!(prompt.steps.iter().any(|step| !step.is_optional), "{}", prompt.name);
            for argument in prompt.arguments {
                let text = argument.description.strip_suffix('.').unwrap_or_default();
                let has_format =
                    ["Name", "ID", "ersion", "URL"].iter().any(|part| text.contains(part));
                let is_filter = text.starts_with("Only ");
                assert!(has_format || is_filter, "{}: {text:?}", argument.name);
                assert!(text.split(' ').count() > 2, "{}: {text:?}", argument.name);
            }
        }
    }
}

//! `completion/complete`: values for prompt arguments and for variables of resource templates.
//!
//! A completion lists the values that the caller can see, with one request to Octopus for at most
//! 100 items. Before that, it looks up the space and project that were filled in, if the values
//! depend on them. Values that the policy denies reading are left out; names that policy rules
//! match on are looked up for all values together. If Octopus fails, the completion has no values
//! and no error.

mod source;

use std::{collections::HashMap, sync::Arc, time::Duration};

use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
};
use serde_json::Map;

use self::source::Source;
use super::{answer, prompts::Prompts};
use crate::{
    octopus::{Space, Window, projects::Project, spaces},
    text,
    tool::{Context, Error, Policy, Trail, resource_kind},
};

/// Time limit of a completion.
const PATIENCE: Duration = Duration::from_secs(5);
/// Maximum size of the typed value, in bytes. Names are shorter.
const LONGEST: usize = 200;
/// Maximum size of an argument that was filled in before (name, ID or Git reference), in bytes.
const LONGEST_GIVEN: usize = 500;
/// Maximum number of values in one result (MCP specification, "Completion").
const MOST: u32 = 100;

/// Completes an argument.
///
/// # Errors
///
/// "Invalid params" for an unknown prompt, template, argument or reference type.
pub(super) async fn complete(
    params: CompleteRequestParams,
    prompts: &Prompts<'_>,
    cx: &Context,
) -> Result<CompleteResult, ErrorData> {
    let name = &params.argument.name;
    let of_resource = match &params.r#ref {
        Reference::Prompt(prompt) => {
            prompts.takes(&prompt.name, name)?;
            None
        }
        Reference::Resource(resource) => {
            has_variable(cx, &resource.uri, name)?;
            Some(cx.about(&resource.uri))
        }
        _ => {
            return Err(ErrorData::invalid_params(
                "unsupported reference type; expected ref/prompt or ref/resource",
                None,
            ));
        }
    };
    let typed = params.argument.value.trim();
    let given = Given(params.context.and_then(|context| context.arguments).unwrap_or_default());
    let is_short = typed.len() <= LONGEST && given.is_short();
    let Some(source) = Source::of(name).filter(|_| is_short) else {
        return Ok(CompleteResult::default());
    };
    let looking = look(source, typed, &given, of_resource.as_ref().unwrap_or(cx));
    Ok(match tokio::time::timeout(PATIENCE, looking).await {
        Ok(Ok(info)) => CompleteResult::new(info),
        Ok(Err(error)) => {
            let error = answer::logged(&error);
            tracing::debug!(error, argument = %name.escape_debug(), "completion failed");
            CompleteResult::default()
        }
        Err(_) => CompleteResult::default(),
    })
}

/// Adds the arguments and the prompt or resource of a completion to its audit record.
pub(super) fn noted(params: &CompleteRequestParams, policy: &Policy, trail: &Trail) {
    let argument = &params.argument;
    let given = params.context.iter().filter_map(|context| context.arguments.as_ref()).flatten();
    let given = given.chain([(&argument.name, &argument.value)]);
    let given = given.map(|(name, value)| (name.clone(), value.clone().into())).collect();
    trail.brought(&given);
    trail.note(|record| match &params.r#ref {
        Reference::Prompt(prompt) => record.prompt = Some(prompt.name.clone()),
        Reference::Resource(resource) => {
            let kind = resource_kind(&resource.uri, policy).unwrap_or("unknown");
            record.resource = Some(kind.to_owned());
        }
        _ => {}
    });
}

/// Checks that the resource template is visible and has this variable.
fn has_variable(cx: &Context, template: &str, name: &str) -> Result<(), ErrorData> {
    let mut shown = cx.policy.resources();
    let Some(resource) = shown.find(|resource| resource.template == template) else {
        let message = format!("unknown resource template: {}", template.escape_debug());
        return Err(ErrorData::invalid_params(message, None));
    };
    if resource.names().any(|variable| variable == name) {
        return Ok(());
    }
    let message = format!("{template} has no variable `{}`", name.escape_debug());
    Err(ErrorData::invalid_params(message, None))
}

/// The arguments that were filled in before, by name.
struct Given(HashMap<String, String>);

impl Given {
    /// Returns whether each value is short enough for a URL.
    fn is_short(&self) -> bool {
        self.0.values().all(|value| value.len() <= LONGEST_GIVEN)
    }

    /// Returns the first non-empty argument with one of these names.
    fn any(&self, names: &[&str]) -> Option<&str> {
        let values = names.iter().filter_map(|name| self.0.get(*name));
        values.map(|value| value.trim()).find(|value| !value.is_empty())
    }

    async fn space(&self, cx: &Context) -> Result<Space, Error> {
        cx.space(self.any(&["space", "spaceName"])).await
    }

    async fn project(&self, space: &Space, cx: &Context) -> Result<Option<Project>, Error> {
        let named = self.any(&["project", "projectId", "projectSlug"]);
        Ok(space.find_some(cx.fixed_project().or(named)).await?)
    }
}

async fn look(
    source: Source,
    typed: &str,
    given: &Given,
    cx: &Context,
) -> Result<CompletionInfo, Error> {
    let search = source.search(typed);
    let path = match source {
        Source::Space if cx.fixed_space.is_some() => {
            let space = cx.space(None).await?;
            // `cx.space` has recorded access to the space, so an empty document stands for it.
            let is_offered = cx.readable(&Arc::new(vec![Map::new()])).await? == [true];
            let name = is_offered.then(|| vec![space.name().to_owned()]);
            let entries = name.into_iter().collect();
            return Ok(chosen(typed, entries, false, None));
        }
        Source::Space => spaces::searched(search),
        // The list of a whole space also contains items of other projects.
        _ if cx.fixed_project().is_some() && source.spans_projects() => {
            return Ok(CompletionInfo::default());
        }
        _ => {
            let space = given.space(cx).await?;
            let of_project = source.is_of_project();
            let project = if of_project { given.project(&space, cx).await? } else { None };
            let git_ref = given.any(&["gitRef"]);
            match source.path(&space, project.as_ref().map(|project| &project.id), git_ref, search)
            {
                Some(path) => path,
                None => return Ok(CompletionInfo::default()),
            }
        }
    };
    let path = path.with(source.take(), MOST);
    let window = Window { skip: 0, take: MOST };
    let page = cx.session.page_of_objects(&path, window).await?;
    let received = page.items.len();
    let items = Arc::new(page.items);
    let readable = cx.readable(&items).await?;
    let items = Arc::unwrap_or_clone(items).into_iter().zip(readable);
    let items = items.filter_map(|(item, is_readable)| is_readable.then_some(item));
    let entries = items.filter_map(|item| source::Entry::of(item)?.texts(source));
    let is_granted = |texts: &Vec<String>| {
        let names: Vec<_> = texts.iter().map(|text| Some(text.as_str())).collect();
        source != Source::Space || cx.grants_space(&names)
    };
    let entries: Vec<Vec<String>> = entries.filter(is_granted).collect();
    let has_more = page.total_results > u32::try_from(received).unwrap_or(u32::MAX);
    // The total of Octopus is right only if no item was left out and Octopus did the filtering.
    let counts = entries.len() == received && (search.is_some() || typed.is_empty());
    Ok(chosen(typed, entries, has_more, counts.then_some(page.total_results)))
}

/// Returns the values that contain the typed text in the value or in one of its other names. Values
/// that begin with the text come first.
///
/// Each entry is a value followed by its other names. `total` is the number of all values, if there
/// are more and their number is known.
fn chosen(
    typed: &str,
    entries: Vec<Vec<String>>,
    has_more: bool,
    total: Option<u32>,
) -> CompletionInfo {
    let typed = typed.to_lowercase();
    let mut values: Vec<String> = Vec::new();
    for entry in entries {
        let is_meant = entry.iter().any(|text| text.to_lowercase().contains(&typed));
        let Some(value) = entry.into_iter().next().filter(|_| is_meant) else { continue };
        // A value that the sanitizer changes cannot be typed either.
        let is_plain = text::door(&value).text == value;
        if is_plain && !values.contains(&value) {
            values.push(value);
        }
    }
    values.sort_by_key(|value| !value.to_lowercase().starts_with(&typed));
    values.truncate(MOST as usize);
    let mut info = CompletionInfo::default();
    info.total = if has_more { total } else { u32::try_from(values.len()).ok() };
    info.values = values;
    info.has_more = Some(has_more);
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(entries: &[&[&str]]) -> Vec<Vec<String>> {
        entries.iter().map(|entry| entry.iter().map(ToString::to_string).collect()).collect()
    }

    #[test]
    fn values_that_begin_so_come_first_and_each_once() {
        let entries = texts(&[&["Big Web"], &["Web"], &["Depot"], &["Web"], &["Api", "the web"]]);
        let info = chosen("WEB", entries, false, Some(5));
        assert_eq!(info.values, ["Web", "Big Web", "Api"]);
        assert_eq!((info.total, info.has_more), (Some(3), Some(false)));
    }

    #[test]
    fn a_total_is_told_only_where_it_is_known() {
        let entries = || texts(&[&["Web"], &["Depot"]]);
        assert_eq!(chosen("", entries(), true, Some(7)).total, Some(7));
        assert_eq!(chosen("w", entries(), true, None).total, None);
        assert_eq!(chosen("w", entries(), true, None).has_more, Some(true));
        assert_eq!(chosen("w", entries(), false, None).total, Some(1));
    }

    #[test]
    fn what_cannot_be_shown_as_it_is_is_left_out() {
        let entries = texts(&[&["We\u{200b}b"], &["Web"]]);
        assert_eq!(chosen("", entries, false, None).values, ["Web"]);
    }
}

//! `completion/complete`: values for prompt arguments and for variables of resource templates.
//!
//! A completion lists the values that the caller can see, with one request to Octopus for at most
//! 100 items. Before that, it looks up the space and project that were filled in, if the values
//! depend on them. Values that the policy denies reading are omitted. Names that policy rules match
//! on are looked up for all values together. If a request to Octopus fails, the completion has no
//! values and no error.

mod source;

use std::{collections::HashMap, sync::Arc, time::Duration};

use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
};
use serde_json::Map;

use self::source::CompletionSource;
use super::{prompts::Prompts, response};
use crate::{
    access::ToolAccess,
    octopus::{PageRange, Space, environments::Environment, projects::Project, spaces},
    sanitize::sanitize,
    text::printable,
    tool::{AuditScope, Context, Error, Toolset, resource_name},
};

/// Time limit of a completion.
const COMPLETION_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of the typed value, in bytes. Names are shorter.
const MAX_TYPED_BYTES: usize = 200;
/// Maximum size of an argument that was filled in before (name, ID or Git reference), in bytes.
const MAX_FILLED_BYTES: usize = 500;
/// Maximum number of values in one result (MCP specification, "Completion").
const MAX_VALUES: u32 = 100;

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
            prompts.check_argument(&prompt.name, name)?;
            None
        }
        Reference::Resource(resource) => {
            check_variable(cx, &resource.uri, name)?;
            Some(cx.for_resource(&resource.uri))
        }
        _ => {
            return Err(ErrorData::invalid_params(
                "unsupported reference type; expected ref/prompt or ref/resource",
                None,
            ));
        }
    };
    let typed = params.argument.value.trim();
    let given =
        FilledArguments(params.context.and_then(|context| context.arguments).unwrap_or_default());
    let is_short = typed.len() <= MAX_TYPED_BYTES && given.is_short();
    let Some(source) = CompletionSource::for_argument(name).filter(|_| is_short) else {
        return Ok(CompleteResult::default());
    };
    let looking = find_values(source, typed, &given, of_resource.as_ref().unwrap_or(cx));
    Ok(match tokio::time::timeout(COMPLETION_TIMEOUT, looking).await {
        Ok(Ok(info)) => CompleteResult::new(info),
        Ok(Err(error)) => {
            let error = response::log_text(&error);
            tracing::debug!(error, argument = %printable(name), "completion failed");
            CompleteResult::default()
        }
        Err(_) => CompleteResult::default(),
    })
}

/// Adds the arguments and the prompt or resource of a completion to its audit record.
pub(super) fn record_arguments(
    params: &CompleteRequestParams,
    toolsets: &'static [Toolset],
    policy: &ToolAccess,
    audit: &AuditScope,
) {
    let argument = &params.argument;
    let given = params.context.iter().filter_map(|context| context.arguments.as_ref()).flatten();
    let given = given.chain([(&argument.name, &argument.value)]);
    let given = given.map(|(name, value)| (name.clone(), value.clone().into())).collect();
    audit.record_raw_arguments(&given);
    audit.update(|record| match &params.r#ref {
        Reference::Prompt(prompt) => record.prompt = Some(prompt.name.clone()),
        Reference::Resource(resource) => {
            let kind = resource_name(&resource.uri, toolsets, policy).unwrap_or("unknown");
            record.resource = Some(kind.to_owned());
        }
        _ => {}
    });
}

/// Checks that the resource template is visible and has this variable.
fn check_variable(cx: &Context, template: &str, name: &str) -> Result<(), ErrorData> {
    let mut shown = cx.visible_resources();
    let Some(resource) = shown.find(|resource| resource.template == template) else {
        let message = format!("unknown resource template: {}", template.escape_debug());
        return Err(ErrorData::invalid_params(message, None));
    };
    if resource.variable_names().any(|variable| variable == name) {
        return Ok(());
    }
    let message = format!("{template} has no variable `{}`", name.escape_debug());
    Err(ErrorData::invalid_params(message, None))
}

/// The arguments that were filled in before, by name.
struct FilledArguments(HashMap<String, String>);

impl FilledArguments {
    /// Returns whether each value is short enough for a URL.
    fn is_short(&self) -> bool {
        self.0.values().all(|value| value.len() <= MAX_FILLED_BYTES)
    }

    /// Returns the first non-empty argument with one of these names.
    fn first_of(&self, names: &[&str]) -> Option<&str> {
        let values = names.iter().filter_map(|name| self.0.get(*name));
        values.map(|value| value.trim()).find(|value| !value.is_empty())
    }

    async fn space(&self, cx: &Context) -> Result<Space, Error> {
        cx.resolve_space(self.first_of(&["space", "spaceName"])).await
    }

    async fn project(&self, space: &Space, cx: &Context) -> Result<Option<Project>, Error> {
        let named = self.first_of(&["project", "projectId", "projectSlug"]);
        Ok(space.find_optional(cx.pinned_project().or(named)).await?)
    }
}

async fn find_values(
    source: CompletionSource,
    typed: &str,
    given: &FilledArguments,
    cx: &Context,
) -> Result<CompletionInfo, Error> {
    let search = source.search_text(typed);
    let path = match source {
        CompletionSource::Space if cx.pinned_space.is_some() => {
            let space = cx.resolve_space(None).await?;
            // `cx.space` has recorded access to the space, so an empty document stands for it.
            let is_offered = cx.readable_documents(&Arc::new(vec![Map::new()])).await? == [true];
            let name = is_offered.then(|| vec![space.name().to_owned()]);
            let entries = name.into_iter().collect();
            return Ok(matching_values(typed, entries, false, None));
        }
        CompletionSource::Space => spaces::list_path(search),
        // The list of a whole space also contains items of other projects.
        _ if cx.pinned_project().is_some() && source.spans_projects() => {
            return Ok(CompletionInfo::default());
        }
        CompletionSource::Environment => {
            let path = given.space(cx).await?.list_path::<Environment>().await;
            path.query_opt("partialName", search).query("skip", 0)
        }
        _ => {
            let space = given.space(cx).await?;
            let of_project = source.is_project_list();
            let project = if of_project { given.project(&space, cx).await? } else { None };
            let git_ref = given.first_of(&["gitRef"]);
            match source.path(&space, project.as_ref().map(|project| &project.id), git_ref, search)
            {
                Some(path) => path,
                None => return Ok(CompletionInfo::default()),
            }
        }
    };
    let path = path.query(source.take_parameter(), MAX_VALUES);
    let window = PageRange { skip: 0, take: MAX_VALUES };
    let page = cx.session.page_of_objects(&path, window).await?;
    let received = page.items.len();
    let items = Arc::new(page.items);
    let readable = cx.readable_documents(&items).await?;
    let items = Arc::unwrap_or_clone(items).into_iter().zip(readable);
    let items = items.filter_map(|(item, is_readable)| is_readable.then_some(item));
    let entries = items.filter_map(|item| source::CompletionItem::parse(item)?.texts(source));
    let is_granted = |texts: &Vec<String>| {
        let names: Vec<_> = texts.iter().map(|text| Some(text.as_str())).collect();
        source != CompletionSource::Space || cx.grants_space(&names)
    };
    let entries: Vec<Vec<String>> = entries.filter(is_granted).collect();
    let has_more = page.total_results > u32::try_from(received).unwrap_or(u32::MAX);
    // The total of Octopus is correct only if no item was omitted and Octopus applied the filter.
    let counts = entries.len() == received && (search.is_some() || typed.is_empty());
    Ok(matching_values(typed, entries, has_more, counts.then_some(page.total_results)))
}

/// Returns the values that contain the typed text in the value or in one of its other names. Values
/// that begin with the text come first.
///
/// Each entry is a value followed by its other names. `total` is the number of all values, if there
/// are more and the total is known.
fn matching_values(
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
        let is_plain = sanitize(&value).text == value;
        if is_plain && !values.contains(&value) {
            values.push(value);
        }
    }
    values.sort_by_key(|value| !value.to_lowercase().starts_with(&typed));
    values.truncate(MAX_VALUES as usize);
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
    fn values_with_prefix_come_first_without_duplicates() {
        let entries = texts(&[&["Big Web"], &["Web"], &["Depot"], &["Web"], &["Api", "the web"]]);
        let info = matching_values("WEB", entries, false, Some(5));
        assert_eq!(info.values, ["Web", "Big Web", "Api"]);
        assert_eq!((info.total, info.has_more), (Some(3), Some(false)));
    }

    #[test]
    fn total_is_set_only_if_known() {
        let entries = || texts(&[&["Web"], &["Depot"]]);
        assert_eq!(matching_values("", entries(), true, Some(7)).total, Some(7));
        assert_eq!(matching_values("w", entries(), true, None).total, None);
        assert_eq!(matching_values("w", entries(), true, None).has_more, Some(true));
        assert_eq!(matching_values("w", entries(), false, None).total, Some(1));
    }

    #[test]
    fn omits_values_changed_by_the_sanitizer() {
        let entries = texts(&[&["We\u{200b}b"], &["Web"]]);
        assert_eq!(matching_values("", entries, false, None).values, ["Web"]);
    }
}

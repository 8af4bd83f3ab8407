//! The catalog: all tools with their listings, and the function that calls them.

use std::sync::Arc;

use rmcp::model::{self, JsonObject};
use serde_json::Value;

use super::{
    CalledTool, Context, Error, Limits, Outcome, Toolset,
    answer::{
        part::{DocumentPart, POINTER},
        sanitize::sanitize_in_pool,
    },
    arguments::resolve_names,
    listing::ToolListings,
    output::RunOutcome,
    schema::{MAX_BYTES, fill_limits},
};
use crate::{
    access::{PinnedArguments, ToolAccess, ToolMetadata},
    approval::ApprovalError,
    compute::ComputeScope,
    policy::Tier,
    tool::Definition,
};

/// All toolsets with their listings. Built once.
#[derive(Debug)]
pub struct Catalog {
    toolsets: &'static [Toolset],
    entries: Vec<Entry>,
}

/// A tool of the catalog.
#[derive(Debug)]
pub struct Entry {
    /// Name of the toolset.
    pub toolset: &'static str,
    /// Metadata of the tool.
    pub metadata: &'static ToolMetadata,
    /// Listing without pinned arguments.
    pub model: model::Tool,
    definition: &'static Definition,
    listings: ToolListings,
}

impl Catalog {
    /// Builds the listings. The descriptions of arguments name `limits`.
    pub fn new(toolsets: &'static [Toolset], limits: &Limits) -> Self {
        let entries = toolsets
            .iter()
            .flat_map(|toolset| toolset.tools.iter().map(move |tool| (toolset.name, tool)))
            .map(|(toolset, definition)| {
                let mut model = (definition.model)();
                fill_limits(Arc::make_mut(&mut model.input_schema), limits);
                let listings = ToolListings::new(&model);
                let model = listings.get(PinnedArguments::default(), true).clone();
                Entry { toolset, metadata: &definition.metadata, model, definition, listings }
            })
            .collect();
        Self { toolsets, entries }
    }

    /// Returns the toolsets of the catalog.
    pub fn toolsets(&self) -> &'static [Toolset] {
        self.toolsets
    }

    /// Returns the tools that a request can see, in listing order.
    pub fn visible<'a>(&'a self, access: &'a ToolAccess) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(|entry| access.is_visible(entry.toolset, entry.metadata))
    }

    /// Returns the tool for a call: the tool with this name, or a tool with this alias. If several
    /// tools share the alias, the arguments of the call select one.
    pub fn resolve(&self, name: &str, arguments: &JsonObject) -> Option<&Entry> {
        let aliases = || {
            self.entries.iter().flat_map(|entry| {
                let matching = entry.metadata.aliases.iter().filter(|alias| alias.name == name);
                matching.map(move |alias| (alias.required_argument, entry))
            })
        };
        let is_present =
            |argument: &&str| arguments.get(*argument).is_some_and(|value| !value.is_null());
        self.get(name)
            .or_else(|| {
                let by_argument =
                    aliases().find(|(required, _)| required.as_ref().is_some_and(&is_present));
                by_argument.map(|(_, entry)| entry)
            })
            .or_else(|| aliases().find(|(required, _)| required.is_none()).map(|(_, entry)| entry))
    }

    /// Returns the tool with this name, whether the request can see it or not.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.metadata.name == name)
    }
}

impl Entry {
    /// Returns the listing for these pinned arguments; with the annotations of headers, for
    /// protocol revisions that support them, or without.
    pub fn listing(&self, pinned: PinnedArguments, headers: bool) -> &model::Tool {
        self.listings.get(pinned, headers)
    }

    /// Returns the tier of a call with these arguments. Invalid arguments have the lowest tier of
    /// the tool.
    pub fn tier_of_call(&self, arguments: &JsonObject) -> Tier {
        let (nothing, pinned) = (JsonObject::new(), PinnedArguments::default());
        let properties = self.properties().unwrap_or(&nothing);
        let arguments = resolve_names(arguments.clone(), properties, pinned);
        arguments.map_or(self.metadata.min_tier, self.definition.tier_of)
    }

    /// Calls the tool: resolves and checks the arguments, runs the tool, applies the policy to the
    /// access set, and sanitizes and truncates the answer.
    ///
    /// # Errors
    ///
    /// Returns the error of the first step that fails. After an executed change, the error reports
    /// the change as executed.
    pub async fn call(&self, arguments: JsonObject, cx: &Context) -> Result<Outcome, Error> {
        let arguments = self.resolve_arguments(arguments, cx).await?;
        let mut limit = cx.limits.answer;
        if let Some(requested) = arguments.get(MAX_BYTES).and_then(Value::as_u64) {
            let requested = usize::try_from(requested).unwrap_or(usize::MAX);
            limit = requested.clamp(1024, cx.limits.answer_cap);
        }
        let has_parts = self.properties().is_some_and(|all| all.contains_key(POINTER));
        let part = has_parts.then(|| DocumentPart::from_arguments(&arguments));
        let mut cx = cx.clone();
        cx.limits.answer = limit;
        cx.called_tool = CalledTool { name: self.metadata.name, toolset: self.toolset };
        let result = (self.definition.run)(arguments, &cx).await;
        cx.record_read_access();
        // The result of a change is always returned. All other results, including errors, contain
        // data that was read.
        if !matches!(
            result,
            Ok(RunOutcome::Changed(_))
                | Err(Error::Approval(ApprovalError::OutcomeUnknown(_)) | Error::Denied { .. })
        ) {
            cx.check_read_policy().await?;
        }
        match result? {
            RunOutcome::ApprovalRequired(request) => Ok(Outcome::ApprovalRequired(request)),
            RunOutcome::Answer(value) => self.sanitized(value, cx.compute(), &cx, part).await,
            // The change was executed. Errors and a spent compute budget must not hide that.
            RunOutcome::Changed(answer) => {
                let sanitized = async {
                    self.sanitized(answer?, &cx.compute().with_new_budget(), &cx, None).await
                };
                sanitized.await.map_err(Error::after_change)
            }
        }
    }

    /// Sanitizes an answer and truncates it to its maximum size.
    async fn sanitized(
        &self,
        value: Value,
        compute: &ComputeScope,
        cx: &Context,
        part: Option<DocumentPart>,
    ) -> Result<Outcome, Error> {
        let takes_max_bytes = self.properties().is_some_and(|all| all.contains_key(MAX_BYTES));
        let max_limit = takes_max_bytes.then_some(cx.limits.answer_cap);
        let mut answer =
            sanitize_in_pool(compute, value, cx.limits.answer, max_limit, part).await?;
        let (removed, redacted) = cx.redactions.total();
        answer.removed += removed;
        answer.redacted += redacted;
        Ok(Outcome::Answer(answer))
    }

    /// Records the change and arguments of a call whose approval was declined.
    pub async fn record_declined(&self, arguments: JsonObject, cx: &Context) {
        if let Ok(arguments) = self.resolve_arguments(arguments, cx).await
            && let Ok(approval) = cx.approval_arguments(self.metadata.name, arguments)
            && approval.token.is_some()
        {
            cx.audit.record_change(approval.change_id);
        }
    }

    /// Resolves aliases of arguments and applies pinned arguments.
    async fn resolve_arguments(
        &self,
        arguments: JsonObject,
        cx: &Context,
    ) -> Result<JsonObject, Error> {
        let nothing = JsonObject::new();
        let properties = self.properties().unwrap_or(&nothing);
        let arguments = resolve_names(arguments, properties, cx.access.pinned())?;
        let arguments = cx.apply_pinned_arguments(arguments, &self.model.input_schema).await?;
        cx.audit.record_arguments(&arguments);
        Ok(arguments)
    }

    fn properties(&self) -> Option<&JsonObject> {
        self.model.input_schema.get("properties").and_then(Value::as_object)
    }
}

//! The catalog: all tools with their listings, and the function that calls them.

use std::sync::Arc;

use rmcp::model::{self, JsonObject};
use serde_json::Value;

use super::{
    CalledTool, Context, Error, Limits, Outcome, Toolset,
    answer::sanitize::sanitize_in_pool,
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
    /// Name of its toolset.
    pub toolset: &'static str,
    /// Its facts.
    pub metadata: &'static ToolMetadata,
    /// Its listing without pinned arguments.
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
                let views = ToolListings::new(&model);
                let model = views.get(PinnedArguments::default(), true).clone();
                Entry {
                    toolset,
                    metadata: &definition.metadata,
                    model,
                    definition,
                    listings: views,
                }
            })
            .collect();
        Self { toolsets, entries }
    }

    /// Returns the toolsets of the catalog.
    pub fn toolsets(&self) -> &'static [Toolset] {
        self.toolsets
    }

    /// Returns the tools that a request can see, in listing order.
    pub fn visible<'a>(&'a self, policy: &'a ToolAccess) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(|entry| policy.is_visible(entry.toolset, entry.metadata))
    }

    /// Returns the tool for a call: the tool with this name, or a tool with this alias. If several
    /// tools share the alias, the arguments of the call decide.
    pub fn resolve(&self, name: &str, arguments: &JsonObject) -> Option<&Entry> {
        let aliases = || {
            self.entries.iter().flat_map(|entry| {
                let called = entry.metadata.aliases.iter().filter(|alias| alias.name == name);
                called.map(move |alias| (alias.required_argument, entry))
            })
        };
        let fits = |argument: &&str| arguments.get(*argument).is_some_and(|value| !value.is_null());
        self.get(name)
            .or_else(|| {
                let fitting = aliases().find(|(with, _)| with.as_ref().is_some_and(&fits));
                fitting.map(|(_, entry)| entry)
            })
            .or_else(|| aliases().find(|(with, _)| with.is_none()).map(|(_, entry)| entry))
    }

    /// Returns the tool with this name, whether the request can see it or not.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.metadata.name == name)
    }
}

impl Entry {
    /// Returns the listing for these pinned arguments; with the annotations of headers, for
    /// protocol revisions that support them, or without.
    pub fn listing(&self, fixed: PinnedArguments, headers: bool) -> &model::Tool {
        self.listings.get(fixed, headers)
    }

    /// Returns the tier of a call with these arguments. Invalid arguments have the lowest tier of
    /// the tool.
    pub fn tier_of_call(&self, arguments: &JsonObject) -> Tier {
        let (nothing, fixed) = (JsonObject::new(), PinnedArguments::default());
        let properties = self.properties().unwrap_or(&nothing);
        let arguments = resolve_names(arguments.clone(), properties, fixed);
        arguments.map_or(self.metadata.min_tier, self.definition.tier_of)
    }

    /// Calls the tool: resolves and checks the arguments, runs the tool, applies the policy to what
    /// was read, and sanitizes and truncates the answer.
    ///
    /// # Errors
    ///
    /// Returns why the call failed. After an executed change, the error reports the change as
    /// executed.
    pub async fn call(&self, arguments: JsonObject, cx: &Context) -> Result<Outcome, Error> {
        let arguments = self.resolve_arguments(arguments, cx).await?;
        let mut limit = cx.limits.answer;
        if let Some(asked) = arguments.get(MAX_BYTES).and_then(Value::as_u64) {
            let asked = usize::try_from(asked).unwrap_or(usize::MAX);
            limit = asked.clamp(1024, cx.limits.answer_cap);
        }
        let mut cx = cx.clone();
        cx.limits.answer = limit;
        cx.called_tool = CalledTool { name: self.metadata.name, toolset: self.toolset };
        let ran = (self.definition.run)(arguments, &cx).await;
        cx.record_read_access();
        // The result of a change is always returned. Everything else, including errors, contains
        // what was read.
        if !matches!(
            ran,
            Ok(RunOutcome::Changed(_))
                | Err(Error::Approval(ApprovalError::OutcomeUnknown(_)) | Error::Denied { .. })
        ) {
            cx.check_read_policy().await?;
        }
        match ran? {
            RunOutcome::ApprovalRequired(question) => Ok(Outcome::ApprovalRequired(question)),
            RunOutcome::Answer(value) => self.sanitized(value, cx.compute(), &cx).await,
            // The change was executed. Neither an error nor a spent compute budget may hide that.
            RunOutcome::Changed(made) => {
                let shown =
                    async { self.sanitized(made?, &cx.compute().with_new_budget(), &cx).await };
                shown.await.map_err(Error::after_change)
            }
        }
    }

    /// Sanitizes an answer and truncates it to its maximum size.
    async fn sanitized(
        &self,
        value: Value,
        compute: &ComputeScope,
        cx: &Context,
    ) -> Result<Outcome, Error> {
        let takes_size = self.properties().is_some_and(|all| all.contains_key(MAX_BYTES));
        let can_ask_for = takes_size.then_some(cx.limits.answer_cap);
        let mut passed = sanitize_in_pool(compute, value, cx.limits.answer, can_ask_for).await?;
        let (removed, redacted) = cx.redactions.total();
        passed.removed += removed;
        passed.redacted += redacted;
        Ok(Outcome::Answer(passed))
    }

    /// Records the change and arguments of a call whose approval was declined.
    pub async fn record_declined(&self, arguments: JsonObject, cx: &Context) {
        if let Ok(arguments) = self.resolve_arguments(arguments, cx).await
            && let Ok(brought) = cx.approval_arguments(self.metadata.name, arguments)
            && brought.token.is_some()
        {
            cx.audit.record_change(brought.change_id);
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

//! The contract of a tool ([`Tool`]) and its type-erased form ([`Definition`]).

use std::{collections::BTreeMap, io};

use futures::future::BoxFuture;
use rmcp::model::{self, JsonObject, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Alias, ApprovalRequest, Context, Error, ResourceDefinition, ScopeLevel, WriteTool, brought,
    change,
    schema::{self, MAX_BYTES},
};
use crate::{
    audit::ResponseBytes,
    compute::INLINE_BYTES,
    octopus::{self, OctopusVersion},
    policy::PolicyAction,
    text::step_counter,
};

/// A read-only tool. The type is its input: its fields are the arguments, its doc comment is the
/// description for the model, and running the value is calling the tool.
///
/// A tool that can change Octopus is a [`WriteTool`].
pub trait Tool: DeserializeOwned + JsonSchema + Send + 'static {
    /// Name on the wire; also the name of its file, its snapshot and its metric label.
    const NAME: &'static str;
    /// Display name.
    const TITLE: &'static str;
    /// First version of Octopus that supports it.
    const SINCE: OctopusVersion = OctopusVersion::MIN_SUPPORTED;
    /// Aliases of the name.
    const ALIASES: &'static [Alias] = &[];
    /// Set on tools that only list choices for an argument. They are hidden when that argument is
    /// pinned.
    const CHOOSES: Option<ScopeLevel> = None;
    /// Whether the tool stays available when the project is pinned although it has no project
    /// argument. Such a tool must check each object with [`Context::ensure_project_in_scope`].
    /// Other tools without a project argument are hidden then.
    const KEEPS_TO_PROJECT: bool = false;
    /// Whether the tool has the argument `maxBytes`. [`super::Entry::call`] applies it, so the input type has no
    /// field for it.
    const TAKES_MAX_BYTES: bool = false;

    /// Structured output. Fields without a value are omitted from the answer.
    type Output: Serialize + JsonSchema + Send + 'static;

    /// Runs the call.
    fn run(self, cx: &Context) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// What a call does to Octopus. Higher tiers include the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Reads objects.
    Read,
    /// Creates or changes objects.
    Write,
    /// Deletes objects.
    Delete,
}

impl Tier {
    /// Returns the name for settings and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

/// A group of tools that is enabled and disabled together.
#[derive(Debug)]
pub struct Toolset {
    /// Name on the wire.
    pub name: &'static str,
    /// Purpose of its tools, in a few words.
    pub summary: &'static str,
    /// Paths of the API that belong to the toolset; `execute` requires the toolset for them. A path
    /// without a leading slash is below a space. `*` matches one segment, and a path includes
    /// everything below it. The toolset with the most literal matching path owns a request.
    pub paths: &'static [&'static str],
    /// Its tools, in listing order.
    pub tools: &'static [Definition],
    /// Its resources.
    pub resources: &'static [ResourceDefinition],
}

/// A [`Tool`] or [`WriteTool`] with its type erased: plain data and function pointers.
#[derive(Debug)]
pub struct Definition {
    /// Name on the wire.
    pub name: &'static str,
    /// Display name.
    pub title: &'static str,
    /// The highest tier of its calls.
    pub tier: Tier,
    /// The lowest tier of its calls.
    pub min_tier: Tier,
    /// Kind of change, from which the policy derives the risk.
    pub policy_action: PolicyAction,
    /// First version of Octopus that supports it.
    pub since: OctopusVersion,
    /// Aliases of the name.
    pub aliases: &'static [Alias],
    /// The argument whose choices it lists, if it does nothing else.
    pub lists_choices_for: Option<ScopeLevel>,
    /// Whether it stays available when the project is pinned although it has no project argument.
    pub project_scoped: bool,
    pub(super) tier_of: fn(JsonObject) -> Tier,
    pub(super) model: fn() -> model::Tool,
    pub(super) run: for<'a> fn(JsonObject, &'a Context) -> BoxFuture<'a, Result<RunOutcome, Error>>,
}

/// The result of running a tool.
#[derive(Debug)]
pub(super) enum RunOutcome {
    /// Nothing was changed; this is the answer.
    Answer(Value),
    /// A change was executed; this is the answer, or why it cannot be returned.
    Changed(Result<Value, Error>),
    /// Approval is required first.
    ApprovalRequired(ApprovalRequest),
}

/// The outcome of a call.
#[derive(Debug)]
pub enum Outcome {
    /// An answer.
    Answer(SanitizedAnswer),
    /// Approval is required first; nothing was changed.
    ApprovalRequired(ApprovalRequest),
}

/// A sanitized and truncated answer.
#[derive(Debug)]
pub struct SanitizedAnswer {
    /// The answer.
    pub value: Value,
    /// Number of removed invisible characters.
    pub removed: usize,
    /// Number of redacted secrets.
    pub redacted: usize,
    /// Size as JSON in bytes, before and after it was truncated.
    pub bytes: ResponseBytes,
}

impl Definition {
    /// Creates the definition of a read-only tool.
    pub const fn of<T: Tool>() -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            tier: Tier::Read,
            min_tier: Tier::Read,
            policy_action: PolicyAction::Read,
            since: T::SINCE,
            aliases: T::ALIASES,
            lists_choices_for: T::CHOOSES,
            project_scoped: T::KEEPS_TO_PROJECT,
            tier_of: |_| Tier::Read,
            model: read_model::<T>,
            run: run_read::<T>,
        }
    }

    /// Creates the definition of a write tool.
    pub const fn of_write_tool<T: WriteTool>() -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            tier: T::TIER,
            min_tier: T::LEAST,
            policy_action: T::DEED,
            since: T::SINCE,
            aliases: T::ALIASES,
            lists_choices_for: None,
            project_scoped: false,
            tier_of: tier_of_call::<T>,
            model: write_model::<T>,
            run: change::call_write_tool::<T>,
        }
    }
}

/// Returns the tier of a call with these arguments. Invalid arguments have the lowest tier, because
/// the call fails without a change.
fn tier_of_call<T: WriteTool>(mut arguments: JsonObject) -> Tier {
    if T::LEAST == T::TIER {
        return T::TIER;
    }
    brought::take_approval_arguments(&mut arguments);
    parse_arguments::<T>(arguments).map_or(T::LEAST, |input| input.tier())
}

fn read_model<T: Tool>() -> model::Tool {
    let (description, input) = schema::input::<T>(T::TAKES_MAX_BYTES);
    let annotations = ToolAnnotations::with_title(T::TITLE)
        .read_only(true)
        .destructive(false)
        .idempotent(true)
        .open_world(false);
    model::Tool::new(T::NAME, description, input)
        .with_title(T::TITLE)
        .with_raw_output_schema(schema::output::<T::Output>())
        .with_annotations(annotations)
}

fn write_model<T: WriteTool>() -> model::Tool {
    let (description, input) = schema::write_input::<T>(T::TAKES_MAX_BYTES);
    // Calls are idempotent by code or key, which MCP's `idempotentHint` does not cover.
    let annotations = ToolAnnotations::with_title(T::TITLE)
        .read_only(false)
        .destructive(T::DESTRUCTIVE)
        .idempotent(false)
        .open_world(false);
    model::Tool::new(T::NAME, description, input)
        .with_title(T::TITLE)
        .with_raw_output_schema(schema::write_output::<T::Output>())
        .with_annotations(annotations)
}

/// Reads the arguments. They were checked against the schema before ([`super::arguments`]).
///
/// `maxBytes` is checked and removed, because [`super::Entry::call`] applies it.
pub(super) fn parse_arguments<T: DeserializeOwned>(mut arguments: JsonObject) -> Result<T, Error> {
    if let Some(limit) = arguments.shift_remove(MAX_BYTES) {
        let only = JsonObject::from_iter([(MAX_BYTES.to_owned(), limit)]);
        deserialize::<BTreeMap<String, u32>>(only)?;
    }
    deserialize(arguments)
}

fn deserialize<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, Error> {
    serde_path_to_error::deserialize(Value::Object(arguments))
        .map_err(|error| Error::from_serde(&error))
}

/// Checks the version of the instance.
///
/// # Errors
///
/// Returns [`octopus::Error::TooOld`] if the instance is older than `since`.
pub(super) async fn ensure_version(
    what: &'static str,
    since: OctopusVersion,
    cx: &Context,
) -> Result<(), Error> {
    if since > OctopusVersion::MIN_SUPPORTED {
        let has = cx.session.version().await?;
        if has < since {
            return Err(
                octopus::Error::TooOld { feature: what, required: since, actual: has }.into()
            );
        }
    }
    Ok(())
}

fn run_read<T: Tool>(
    arguments: JsonObject,
    cx: &Context,
) -> BoxFuture<'_, Result<RunOutcome, Error>> {
    Box::pin(async move {
        let input: T = parse_arguments(arguments)?;
        ensure_version(T::NAME, T::SINCE, cx).await?;
        let output = input.run(cx).await?;
        to_value(output, cx).await.map(RunOutcome::Answer)
    })
}

/// Serializes the output of a tool to JSON, in the compute pool if it is larger than
/// [`INLINE_BYTES`].
pub(super) async fn to_value<T>(output: T, cx: &Context) -> Result<Value, Error>
where
    T: Serialize + Send + 'static,
{
    let value = if is_small(&output, INLINE_BYTES) {
        serde_json::to_value(output)
    } else {
        cx.compute().run(move |_| Ok(serde_json::to_value(output))).await?
    };
    value.map_err(|error| Error::Output(error.to_string()))
}

/// Returns whether `output` takes at most `limit` bytes as JSON. Stops at the first byte beyond.
fn is_small(output: &impl Serialize, limit: usize) -> bool {
    /// Number of bytes left.
    struct ByteLimit(usize);

    impl io::Write for ByteLimit {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            step_counter::add(bytes.len());
            let left = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::WriteZero)?;
            self.0 = left;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    serde_json::to_writer(ByteLimit(limit), output).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_output_only_up_to_the_limit() {
        let texts = |count: usize| vec!["a text"; count];
        assert!(is_small(&texts(100), 901) && !is_small(&texts(100), 900));
        let (small, steps) = step_counter::count(|| is_small(&texts(1_000_000), INLINE_BYTES));
        assert!(!small && steps <= INLINE_BYTES + 16, "{steps}");
    }
}

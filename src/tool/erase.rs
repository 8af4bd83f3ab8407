//! Erases the types of tools: creates definitions from [`Tool`] and [`WriteTool`].

use futures::future::BoxFuture;
use rmcp::model::{self, JsonObject, ToolAnnotations};

use super::{
    Context, Error, Tool, WriteTool,
    invocation::{ensure_version, parse_arguments, recheck_version, to_value},
    output::RunOutcome,
    schema,
    write_call::call_write_tool,
};
use crate::{
    access::ToolMetadata,
    approval::take_approval_arguments,
    policy::{PolicyAction, Tier},
    tool::Definition,
};

impl Definition {
    /// Creates the definition of a read-only tool.
    pub const fn of<T: Tool>() -> Self {
        Self {
            metadata: ToolMetadata {
                name: T::NAME,
                title: T::TITLE,
                tier: Tier::Read,
                min_tier: Tier::Read,
                policy_action: PolicyAction::Read,
                since: T::SINCE,
                aliases: T::ALIASES,
                lists_choices_for: T::CHOOSES,
                project_scoped: T::KEEPS_TO_PROJECT,
            },
            tier_of: |_| Tier::Read,
            model: read_model::<T>,
            run: run_read::<T>,
        }
    }

    /// Creates the definition of a write tool.
    pub const fn of_write_tool<T: WriteTool>() -> Self {
        Self {
            metadata: ToolMetadata {
                name: T::NAME,
                title: T::TITLE,
                tier: T::TIER,
                min_tier: T::LEAST,
                policy_action: T::POLICY_ACTION,
                since: T::SINCE,
                aliases: T::ALIASES,
                lists_choices_for: None,
                project_scoped: false,
            },
            tier_of: tier_of_call::<T>,
            model: write_model::<T>,
            run: call_write_tool::<T>,
        }
    }
}

/// Returns the tier of a call with these arguments. Invalid arguments have the lowest tier, because
/// the call fails without a change.
fn tier_of_call<T: WriteTool>(mut arguments: JsonObject) -> Tier {
    if T::LEAST == T::TIER {
        return T::TIER;
    }
    take_approval_arguments(&mut arguments);
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

fn run_read<T: Tool>(
    arguments: JsonObject,
    cx: &Context,
) -> BoxFuture<'_, Result<RunOutcome, Error>> {
    Box::pin(async move {
        let input: T = parse_arguments(arguments)?;
        ensure_version(T::NAME, T::SINCE, cx).await?;
        let output = match input.run(cx).await {
            Ok(output) => output,
            Err(error) => {
                recheck_version(T::SINCE, cx).await;
                return Err(error);
            }
        };
        to_value(output, cx).await.map(RunOutcome::Answer)
    })
}

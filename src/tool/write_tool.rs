//! Trait of tools that change Octopus.
//!
//! A [`WriteTool`] never sends a change. It reads the current state and returns a
//! [`ChangePreview`], which contains the complete request and the lines for a person.

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::{Context, Error};
use crate::{
    access::Alias,
    approval::ChangePreview,
    octopus::{ChangeResponse, OctopusVersion},
    policy::{PolicyAction, Tier},
};

/// A tool that can change Octopus. As with [`super::Tool`], the type is its input.
pub trait WriteTool: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Name on the wire; also the name of its file, its snapshot and its metric label.
    const NAME: &'static str;
    /// Display name.
    const TITLE: &'static str;
    /// The highest tier of its calls.
    const TIER: Tier = Tier::Write;
    /// The lowest tier of its calls. Lower than `TIER` only if the tier depends on the arguments.
    const LEAST: Tier = Self::TIER;
    /// Kind of change, which determines the risk in the policy.
    const POLICY_ACTION: PolicyAction = PolicyAction::Run;
    /// Whether it can overwrite or delete existing state (MCP `destructiveHint`).
    const DESTRUCTIVE: bool = true;
    /// First version of Octopus that supports the tool.
    const SINCE: OctopusVersion = OctopusVersion::MIN_SUPPORTED;
    /// Aliases of the name.
    const ALIASES: &'static [Alias] = &[];
    /// Whether the tool has the argument `maxBytes`, as in [`super::Tool::TAKES_MAX_BYTES`].
    const TAKES_MAX_BYTES: bool = false;

    /// Structured output. Fields without a value are omitted from the answer.
    type Output: Serialize + JsonSchema + Send + 'static;

    /// Returns the tier of this call.
    fn tier(&self) -> Tier {
        Self::TIER
    }

    /// Reads the current state and returns the change of this call. Must return an equal plan for
    /// the same state.
    fn plan(&self, cx: &Context) -> impl Future<Output = Result<Plan<Self::Output>, Error>> + Send;

    /// Creates the answer of the call from the parsed reply of Octopus. Objects that it looks up
    /// may be missing. It should not fail, because the change is already executed.
    fn report(
        self,
        reply: ChangeResponse,
        cx: &Context,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// The plan of a call, before any approval.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "created once for each call, and moved once")]
pub enum Plan<T> {
    /// Nothing has to be changed; this is the answer.
    NoChange(T),
    /// The change that needs approval.
    Change(ChangePreview),
}

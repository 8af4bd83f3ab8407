//! Trait of read-only tools.

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::{Context, Error};
use crate::{
    access::{Alias, ScopeLevel},
    octopus::OctopusVersion,
};

/// A read-only tool. The type is its input: its fields are the arguments, and its doc comment is
/// the description for the model. A call runs a value of the type.
///
/// Tools that can change Octopus implement [`WriteTool`](super::WriteTool).
pub trait Tool: DeserializeOwned + JsonSchema + Send + 'static {
    /// Name on the wire; also the name of its file, its snapshot and its metric label.
    const NAME: &'static str;
    /// Display name.
    const TITLE: &'static str;
    /// First version of Octopus that supports the tool.
    const SINCE: OctopusVersion = OctopusVersion::MIN_SUPPORTED;
    /// Aliases of the name.
    const ALIASES: &'static [Alias] = &[];
    /// Set on tools that only list choices for an argument. They are hidden when that argument is
    /// pinned.
    const CHOOSES: Option<ScopeLevel> = None;
    /// Whether the tool is available when the project is pinned although it has no project argument
    /// (default false). It must then check each object with [`Context::ensure_project_in_scope`].
    /// Other tools without a project argument are hidden.
    const KEEPS_TO_PROJECT: bool = false;
    /// Whether the tool has the argument `maxBytes` (default false). [`super::Entry::call`] applies
    /// it, so the input type has no field for it.
    const TAKES_MAX_BYTES: bool = false;

    /// Structured output. Fields without a value are omitted from the answer.
    type Output: Serialize + JsonSchema + Send + 'static;

    /// Runs the call.
    fn run(self, cx: &Context) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

//! Tools and resources with their types erased: plain data and function pointers.

use std::time::Duration;

use futures::future::BoxFuture;
use rmcp::model::{self, JsonObject};
use serde_json::{Map, Value};

use super::{
    Context, Error,
    output::{Contents, RunOutcome},
};
use crate::{access::ToolMetadata, octopus::OctopusVersion, policy::Tier};

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

/// A [`Tool`](super::Tool) or [`WriteTool`](super::WriteTool) with its type erased: plain data and
/// function pointers.
#[derive(Debug)]
pub struct Definition {
    /// Metadata of the tool.
    pub metadata: ToolMetadata,
    pub(super) tier_of: fn(JsonObject) -> Tier,
    pub(super) model: fn() -> model::Tool,
    pub(super) run: for<'a> fn(JsonObject, &'a Context) -> BoxFuture<'a, Result<RunOutcome, Error>>,
}

/// A [`Resource`](super::Resource) with its type erased.
#[derive(Debug)]
pub struct ResourceDefinition {
    /// Name.
    pub name: &'static str,
    /// Display name.
    pub title: &'static str,
    /// URI template.
    pub template: &'static str,
    /// Media type of the contents.
    pub mime: &'static str,
    /// First version of Octopus that supports the resource.
    pub since: OctopusVersion,
    /// Time for which a client may cache the contents.
    pub cache_ttl: Duration,
    pub(super) project_scoped: bool,
    pub(super) describe: fn() -> String,
    pub(super) size: SizeFn,
    pub(super) read: ReadFn,
}

type SizeFn = for<'a> fn(&'a Context) -> BoxFuture<'a, Option<u64>>;
type ReadFn = for<'a> fn(Map<String, Value>, &'a Context) -> BoxFuture<'a, Result<Contents, Error>>;

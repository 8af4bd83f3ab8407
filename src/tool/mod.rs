//! Traits of tools and resources, and the context of their calls.
//!
//! A tool is a type: [`Tool`] if it only reads, [`WriteTool`] if it can change Octopus. Its fields
//! are the arguments, its doc comment is the description, and a call runs a value of the type.
//! [`Definition`] is the type-erased form, so that all tools are in `const` lists ([`Toolset`]).
//! [`Resource`] and [`ResourceDefinition`] are the same for resources.
//!
//! - [`Catalog`] builds the listings from these lists. [`Entry::call`] is the only function that
//!   calls a tool: it resolves and checks the arguments (`arguments`), runs the tool (`erase`,
//!   `invocation`, and `write_call` for changes), applies the policy to the access set (`context`)
//!   and sanitizes and truncates the answer (`answer`).
//! - [`Context`] contains everything that a tool needs besides its arguments. [`AuditScope`]
//!   collects the audit record of the call.
//! - [`Error`] is the error of a call, with a hint for the caller.
//!
//! [`access`](crate::access) decides which tools a request can see and call.
//! [`approval`](crate::approval) contains the approval and the single execution of changes. Neither
//! imports this module.
//!
//! # Example
//!
//! A tool and its entry in a toolset:
//!
//! ```
//! use octopus_mcp::tool::{Context, Definition, Error, SpaceArg, Tool};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// Get the ID of a space.
//! #[derive(Debug, Deserialize, JsonSchema)]
//! #[serde(rename_all = "camelCase", deny_unknown_fields)]
//! struct GetSpaceId {
//!     space: Option<SpaceArg>,
//! }
//!
//! #[derive(Debug, Serialize, JsonSchema)]
//! struct SpaceId {
//!     id: String,
//! }
//!
//! impl Tool for GetSpaceId {
//!     const NAME: &'static str = "get_space_id";
//!     const TITLE: &'static str = "Get space ID";
//!
//!     type Output = SpaceId;
//!
//!     async fn run(self, cx: &Context) -> Result<SpaceId, Error> {
//!         let space = cx.resolve_space(self.space.as_deref()).await?;
//!         Ok(SpaceId { id: space.id().to_string() })
//!     }
//! }
//!
//! const TOOLS: &[Definition] = &[Definition::of::<GetSpaceId>()];
//! assert_eq!(TOOLS[0].metadata.name, "get_space_id");
//! ```

mod answer;
mod arguments;
mod audit_scope;
mod catalog;
mod context;
mod definition;
mod erase;
mod error;
mod index;
mod invocation;
mod listing;
mod output;
mod resource;
mod schema;
mod tool_trait;
mod write_call;
mod write_tool;

pub use answer::{
    Continuation, List, NamedId, NamesById, OneOrList, checked_path_part, find_ids, merged_schema,
    named_id, present_arguments, reject_list_filters, resource_uri,
};
pub use arguments::{
    Choices, EnvironmentArg, GitRefArg, NamePart, ProjectArg, Skip, SpaceArg, StringList, Tags,
    Take, TaskArg, TenantArg, parse_document_id,
};
pub use audit_scope::{ActingUsers, AuditGuard, AuditScope, RecentCall, RecentCalls};
pub use catalog::{Catalog, Entry};
pub use context::{
    CalledTool, Context, DecisionRecorder, DescribedCall, Limits, PolicyCall, Progress,
    RecordedDecision, RedactionCounter, VisitedInstances,
};
pub use definition::{Definition, ResourceDefinition, Toolset};
pub use error::Error;
pub use index::tool_index;
pub use output::{Contents, Outcome, ResourceAnswer, SanitizedAnswer};
pub use resource::{Resource, read_resource, resource_name, visible_resources};
pub use tool_trait::Tool;
pub use write_tool::{Plan, WriteTool};

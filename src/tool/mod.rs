//! The contract of tools, and everything that a call of a tool gets.
//!
//! A tool is a type ([`Tool`]): its fields are the arguments, its doc comment is the description,
//! and running a value of it is calling the tool. [`Definition`] is the type-erased form, so that
//! all tools are in `const` lists ([`Toolset`]). [`Catalog`] builds the listings from these lists.
//! [`Entry::call`] is the only function that calls a tool.

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
    List, NamedId, NamesById, OneOrList, checked_path_part, find_ids, merged_schema, named_id,
    present_arguments, reject_list_filters, resource_uri,
};
pub use arguments::{
    Choices, EnvironmentArg, GitRefArg, NamePart, ProjectArg, Skip, SpaceArg, StringList, Tags,
    Take, TaskArg, TenantArg, parse_document_id,
};
pub use audit_scope::{ActingUsers, AuditGuard, AuditScope, RecentCall, RecentCalls};
pub use catalog::{Catalog, Entry};
pub use context::{
    CalledTool, Context, DecisionRecorder, Limits, Progress, RecordedDecision, RedactionCounter,
    VisitedInstances,
};
pub use definition::{Definition, ResourceDefinition, Toolset};
pub use error::Error;
pub use index::tool_index;
pub use output::{Contents, Outcome, ResourceAnswer, SanitizedAnswer};
pub use resource::{Resource, read_resource, resource_name, visible_resources};
pub use tool_trait::Tool;
pub use write_tool::{Plan, WriteTool};

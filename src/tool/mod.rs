//! The contract of tools, and everything that a call of a tool gets.
//!
//! A tool is a type ([`Tool`]): its fields are the arguments, its doc comment is the description,
//! and running a value of it is calling the tool. [`Definition`] is the type-erased form, so that
//! all tools are in `const` lists ([`Toolset`]). [`Catalog`] builds the listings from these lists.
//! [`Entry::call`] is the only function that calls a tool.

mod answer;
mod arguments;
mod catalog;
mod write_call;
mod context;
mod definition;
mod error;
mod resource;
mod schema;
mod audit_scope;
mod listing;

pub use audit_scope::acting_user::ActingUsers;
pub use arguments::{Choices, StringList, Tags, parse_document_id};
pub use audit_scope::recent_calls::{RecentCall, RecentCalls};
pub use catalog::{Catalog, Entry};
pub use write_call::{Plan, WriteTool};
pub use context::{Context, Limits, Progress, RedactionCounter};
pub use definition::{Definition, Outcome, SanitizedAnswer, Tier, Tool, Toolset};
pub use error::Error;
pub use answer::found::{OneOrList, merged_schema, present_arguments, reject_list_filters};
pub use context::policy_check::{CalledTool, DecisionRecorder, RecordedDecision, VisitedInstances};
pub use answer::list::{List, NamedId};
pub use answer::names::{NamesById, find_ids, named_id};
pub use resource::{
    Contents, Resource, ResourceAnswer, ResourceDefinition, read_resource, resource_name,
};
pub use arguments::shared::{EnvironmentArg, GitRefArg, NamePart, ProjectArg, Skip, SpaceArg, Take, TaskArg, TenantArg};
pub use context::four_eyes::TaskInitiators;
pub use audit_scope::{AuditGuard, AuditScope};
pub use answer::uri::{checked_path_part, resource_uri};

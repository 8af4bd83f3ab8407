//! The contract of tools, and everything that a call of a tool gets.
//!
//! A tool is a type ([`Tool`]): its fields are the arguments, its doc comment is the description,
//! and running a value of it is calling the tool. [`Definition`] is the type-erased form, so that
//! all tools are in `const` lists ([`Toolset`]). [`Catalog`] builds the listings from these lists.
//! [`Entry::call`] is the only function that calls a tool.

mod acting_user;
mod arguments;
#[cfg(test)]
mod properties;
mod recent_calls;
mod catalog;
mod write_call;
mod context;
mod call_metrics;
mod policy_decide;
mod definition;
mod depth;
mod error;
mod kind;
mod truncate;
mod found;
mod scope;
mod policy_check;
mod length_limits;
mod list;
mod list_tools;
mod names;
mod octopus_hint;
mod readable;
mod sanitize;
mod resource;
mod schema;
mod shared;
mod audit_note;
mod four_eyes;
mod audit_scope;
mod uri;
mod listing;
mod serde_message;

pub use acting_user::ActingUsers;
pub use arguments::{Choices, StringList, Tags, parse_document_id};
pub use recent_calls::{RecentCall, RecentCalls};
pub use catalog::{Catalog, Entry};
pub use write_call::{Plan, WriteTool};
pub use context::{Context, Limits, Progress, RedactionCounter};
pub use definition::{Definition, Outcome, SanitizedAnswer, Tier, Tool, Toolset};
pub use error::Error;
pub use found::{OneOrList, merged_schema, present_arguments, reject_list_filters};
pub use policy_check::{CalledTool, DecisionRecorder, RecordedDecision, VisitedInstances};
pub use list::{List, NamedId};
pub use names::{NamesById, find_ids, named_id};
pub use resource::{
    Contents, Resource, ResourceAnswer, ResourceDefinition, read_resource, resource_name,
};
pub use shared::{
    EnvironmentArg, GitRefArg, NamePart, ProjectArg, Skip, SpaceArg, Take, TaskArg, TenantArg,
};
pub use four_eyes::TaskInitiators;
pub use audit_scope::{AuditGuard, AuditScope};
pub use uri::{checked_path_part, resource_uri};

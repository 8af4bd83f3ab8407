//! The contract of tools, and everything that a call of a tool gets.
//!
//! A tool is a type ([`Tool`]): its fields are the arguments, its doc comment is the description,
//! and running a value of it is calling the tool. [`Definition`] is the type-erased form, so that
//! all tools are in `const` lists ([`Toolset`]). [`Catalog`] builds the listings from these lists.
//! [`Entry::call`] is the only function that calls a tool.

mod acting;
mod alias;
mod arguments;
#[cfg(test)]
mod arguments_properties;
mod brought;
mod calls;
mod catalog;
mod change;
mod context;
mod counted;
mod decide;
mod definition;
mod depth;
mod drift;
mod error;
mod error_kind;
mod fit;
mod found;
mod gate;
mod held;
mod hidden;
mod instance_rate;
mod judge;
mod ledger;
mod lengths;
mod list;
mod listers;
mod names;
mod narrowing;
mod octopus_hint;
mod offered;
mod passed;
mod paths;
mod policy;
mod proposal;
mod reach;
mod resource;
mod schema;
mod seal;
mod shared_arguments;
mod signed;
mod starters;
mod trail;
mod uri;
mod view;
mod wording;

pub use acting::ActingUsers;
pub use alias::Alias;
pub use arguments::{Choices, StringList, Tags, parse_document_id};
pub use brought::ClientApproval;
pub use calls::{RecentCall, RecentCalls};
pub use catalog::{Catalog, Entry};
pub use change::{Plan, WriteTool};
pub use context::{Context, Limits, Progress, RedactionCounter};
pub use definition::{Definition, Outcome, SanitizedAnswer, Tier, Tool, Toolset};
pub use error::Error;
pub use found::{OneOrList, merged_schema, present_arguments, reject_list_filters};
pub use gate::{ApprovalGate, ApprovalMethod, ApprovalRequest};
pub use hidden::DenyReason;
pub use instance_rate::InstanceRateLimit;
pub use judge::{CalledTool, DecisionRecorder, RecordedDecision, VisitedInstances};
pub use list::{List, NamedId};
pub use names::{NamesById, find_ids, named_id};
pub use narrowing::{PinnedArguments, RequestScope, ScopeLevel, UnknownName};
pub use paths::{ExecutePath, HttpMethod};
pub use policy::ToolAccess;
pub use proposal::{ChangePreview, PreviewLine};
pub use reach::EffectiveScope;
pub use resource::{
    Contents, Resource, ResourceAnswer, ResourceDefinition, read_resource, resource_name,
};
pub use seal::{Seal, UnsealError};
pub use shared_arguments::{
    EnvironmentArg, GitRefArg, NamePart, ProjectArg, Skip, SpaceArg, Take, TaskArg, TenantArg,
};
pub use starters::TaskInitiators;
pub use trail::{AuditGuard, AuditScope};
pub use uri::{checked_path_part, resource_uri};

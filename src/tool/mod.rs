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

pub use acting::Acting;
pub use alias::Alias;
pub use arguments::{Choices, Tags, Words, document_id};
pub use brought::Consent;
pub use calls::{LastCall, LastCalls};
pub use catalog::{Catalog, Entry};
pub use change::{Change, Plan};
pub use context::{Context, Limits, Progress, TakenOut};
pub use definition::{Definition, Outcome, Passed, Tier, Tool, Toolset};
pub use error::Error;
pub use found::{Found, alone, either, given};
pub use gate::{Gate, Question, Way};
pub use hidden::Hidden;
pub use instance_rate::InstanceRate;
pub use judge::{Asked, Decided, Decisions, Visits};
pub use list::{List, Ref};
pub use names::{Names, ids_of, name_of};
pub use narrowing::{Fixed, Narrowing, Place, Unknown};
pub use paths::{ApiPath, Verb};
pub use policy::Policy;
pub use proposal::{Fact, Proposal};
pub use reach::Reach;
pub use resource::{Contents, Read, Resource, ResourceDefinition, read, resource_kind};
pub use seal::{Seal, Unsealed};
pub use shared_arguments::{
    EnvironmentArg, GitRefArg, NamePart, ProjectArg, Skip, SpaceArg, Take, TaskArg, TenantArg,
};
pub use starters::Starters;
pub use trail::{Open, Trail};
pub use uri::{part, uri};

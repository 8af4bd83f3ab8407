//! What a tool is, and what it is given.
//!
//! A tool is a type: its fields are the arguments, its doc comment is the description, running a
//! value of it is calling it ([`Tool`]). [`Definition`] is the same with the type erased, so that
//! all tools stand in `const` lists ([`Toolset`]), and [`Catalog`] is those lists ready to be
//! listed and called. The only way into a tool is [`Entry::call`].

mod arguments;
mod catalog;
mod context;
mod definition;
mod error;
mod fit;
mod list;
mod names;
mod policy;
mod schema;

pub use arguments::Words;
pub use catalog::{Catalog, Entry};
pub use context::{Context, Limits, Progress};
pub use definition::{Definition, Outcome, Tier, Tool, Toolset};
pub use error::Error;
pub use list::{List, Ref};
pub use names::{Names, name_of};
pub use policy::Policy;

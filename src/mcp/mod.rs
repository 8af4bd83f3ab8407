//! The protocol: MCP in, MCP out, in both of its eras.
//!
//! [`Protocol`] speaks MCP and knows nothing of Octopus: what it serves is an [`Offering`].
//! [`Tools`] is the offering of this product.

mod answer;
mod audited;
mod complete;
mod consent;
mod context;
mod ended;
mod instructions;
mod methods;
mod offering;
mod operation;
mod pages;
mod places;
mod progress;
mod prompts;
mod protocol;
mod request;
mod request_context;
mod resources;
mod rounds;
mod sessions;
mod tools;
mod version;

pub use audited::recorded;
pub use offering::{NotServed, Offering};
pub use pages::Page;
pub use places::Absent;
pub use protocol::{Offered, Protocol, SUPPORTED, Settings};
pub use request::Request;
pub use request_context::{RequestContext, ResolvedScope};
pub use sessions::{Found, LARGEST_ANSWER, Manager, NoRoom, NotTaken, Sessions};
pub use tools::Tools;

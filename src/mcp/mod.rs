//! The Model Context Protocol: revisions with sessions (2025-03-26 to 2025-11-25) and the stateless
//! revision (2026-07-28).
//!
//! [`Protocol`] implements the MCP methods and does not depend on Octopus. It serves an
//! [`McpProvider`]: tools, resources, prompts and completions. [`OctopusProvider`] is the provider
//! of this product. [`SessionRegistry`] keeps the sessions of clients that use a revision with
//! sessions.

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

pub use audited::caller_fields;
pub use offering::{AdmissionError, McpProvider};
pub use pages::ResourcePage;
pub use places::MissingSpaceCache;
pub use protocol::{Protocol, ProtocolSettings, ProviderSnapshot, SUPPORTED};
pub use request::RequestInfo;
pub use request_context::{RequestContext, ResolvedScope};
pub use sessions::{
    MAX_RESPONSE_BYTES, SessionLimit, SessionLocation, SessionManagerAdapter, SessionRegistry,
    TakeoverError,
};
pub use tools::OctopusProvider;

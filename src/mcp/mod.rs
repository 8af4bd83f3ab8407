//! The Model Context Protocol: revisions with sessions (2025-03-26 to 2025-11-25) and the stateless
//! revision (2026-07-28).
//!
//! [`Protocol`] implements the MCP methods and does not depend on Octopus. It serves an
//! [`McpProvider`]: tools, resources, prompts and completions. [`OctopusProvider`] is the provider
//! of this product. [`SessionRegistry`] keeps the sessions of clients that use a revision with
//! sessions.

mod approval;
mod audit_record;
mod completion;
mod context;
mod elicitation;
mod instructions;
mod methods;
mod octopus_provider;
mod operation;
mod progress;
mod prompts;
mod protocol;
mod provider;
mod request;
mod request_context;
mod request_failure;
mod resource_pages;
mod resources;
mod response;
mod sessions;
mod space_check;
mod version;

pub use audit_record::caller_fields;
pub use octopus_provider::OctopusProvider;
pub use protocol::{Protocol, ProtocolSettings, ProviderSnapshot, SUPPORTED};
pub use provider::{AdmissionError, McpProvider};
pub use request::RequestInfo;
pub use request_context::{RequestContext, ResolvedScope};
pub use resource_pages::ResourcePage;
pub use sessions::{
    MAX_RESPONSE_BYTES, SessionLimit, SessionLocation, SessionManagerAdapter, SessionRegistry,
    TakeoverError,
};
pub use space_check::MissingSpaceCache;

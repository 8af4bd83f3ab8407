//! TODO

mod tool_metadata;
mod deny_reason;
mod instance_rate;
mod request_scope;
mod execute_path;
mod tool_access;
mod effective_scope;

pub use deny_reason::DenyReason;
pub use effective_scope::EffectiveScope;
pub use execute_path::{ExecutePath, HttpMethod};
pub use instance_rate::InstanceRateLimit;
pub use request_scope::{PinnedArguments, RequestScope, ScopeLevel, UnknownName};
pub use tool_access::ToolAccess;
pub use tool_metadata::Alias;

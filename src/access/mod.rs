//! TODO

mod deny_reason;
mod effective_scope;
mod execute_path;
mod instance_rate;
mod pinned_arguments;
mod request_scope;
mod scope_level;
mod tool_access;
mod tool_metadata;

pub use deny_reason::DenyReason;
pub use effective_scope::EffectiveScope;
pub(crate) use execute_path::interruption_path;
pub use execute_path::{ExecutePath, ExecutePathError, HttpMethod};
pub use instance_rate::InstanceRateLimit;
pub use pinned_arguments::PinnedArguments;
pub use request_scope::{RequestScope, UnknownName};
pub use scope_level::ScopeLevel;
pub use tool_access::ToolAccess;
pub use tool_metadata::{Alias, ToolIndex, ToolMetadata, ToolsetMetadata};

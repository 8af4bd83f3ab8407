//! Access of a request to tools, instances and API paths.
//!
//! - [`RequestScope`] is the scope in the path and headers of a request. It can only restrict
//!   access.
//! - [`ToolAccess`] is the intersection of the settings, the instance, the grants of the caller and
//!   the scope of the request. It decides which tools are visible. [`DenyReason`] is the reason why
//!   a tool is hidden, with the remedy. It uses only the metadata of tools ([`ToolMetadata`] in
//!   a [`ToolIndex`]).
//! - [`EffectiveScope`] computes the access at each instance that the request can reach.
//!   [`PinnedArguments`] are the arguments that the settings or the request set for all calls.
//! - [`ExecutePath`] checks the paths of the tool `execute`, so that it cannot bypass the other
//!   restrictions.
//! - [`InstanceRateLimit`] limits the calls of all callers to each instance.
//!
//! Grants of spaces and the policy need the objects that a call accesses. They are applied in
//! [`tool::Context`](crate::tool::Context) and [`policy`](crate::policy).
//!
//! # Example
//!
//! ```
//! use octopus_mcp::{access::ToolAccess, policy::Tier, tool::tool_index, toolsets::TOOLSETS};
//!
//! let toolsets = ["deployments".to_owned()];
//! let access = ToolAccess::new(tool_index(TOOLSETS), &toolsets, Tier::Read)?;
//! assert!(access.is_visible_by_name("list_deployments"));
//! assert!(!access.is_visible_by_name("deploy_release"));
//! assert!(!access.is_visible_by_name("find_certificates"));
//! # Ok::<(), octopus_mcp::access::UnknownName>(())
//! ```

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

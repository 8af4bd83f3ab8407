//! Approval of changes, and the single execution of each approved change.
//!
//! A write tool plans a change as a [`ChangePreview`]: the lines that a person reads, and the
//! request that is sent after approval. [`ApprovalGate`] decides whether the change may be executed
//! or requires approval first. The parts:
//!
//! - `call_arguments` splits a call into the arguments of the tool and its approval: the code in
//!   `confirm`, the token of an approval request, and `idempotencyKey`.
//! - `token` binds an approval to the caller, tool, arguments and preview. [`Seal`] authenticates
//!   tokens, because they pass through the client.
//! - `drift` describes how the state differs from the approved preview. Such a change is rejected.
//! - `idempotency` executes a repeated change once, also across replicas.
//! - [`TaskInitiators`] records the initiators of tasks, for the four-eyes rule.
//!
//! The module sends no change itself. `tool::write_call` calls the gate and sends the request.
//!
//! # Example
//!
//! ```
//! use octopus_mcp::{
//!     approval::ChangePreview,
//!     octopus::{ApiPath, ChangeRequest},
//! };
//! use serde_json::json;
//!
//! let body = json!({ "Version": "1.0", "ProjectId": "Projects-1" });
//! let request = ChangeRequest::post(ApiPath::new(["Spaces-1", "releases"]), body);
//! let preview = ChangePreview::new("release", "Create the release 1.0 of Shop?", request)
//!     .line("Project", "Shop")
//!     .caller_text("Version", Some("1.0"));
//! assert_eq!(preview.lines[1].value, "1.0");
//! ```

mod call_arguments;
mod drift;
mod error;
mod gate;
mod idempotency;
mod method;
mod preview;
mod request;
mod seal;
mod task_initiators;
mod token;

pub use call_arguments::ClientApproval;
pub(crate) use call_arguments::{ApprovalArguments, take_approval_arguments};
pub use error::ApprovalError;
pub use gate::ApprovalGate;
pub use idempotency::NotExecuted;
pub(crate) use idempotency::{MAX_SEND_DURATION, with_send_limit};
pub use method::ApprovalMethod;
pub use preview::{ChangePreview, PreviewLine};
pub use request::ApprovalRequest;
pub(crate) use request::{ApprovalRequirement, GateDecision};
pub use seal::{Seal, UnsealError};
pub use task_initiators::TaskInitiators;

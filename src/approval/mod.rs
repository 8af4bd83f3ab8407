//! TODO

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

//! TODO

mod call_arguments;
mod drift;
mod gate;
mod idempotency;
mod preview;
mod seal;

pub use call_arguments::ClientApproval;
pub use gate::{ApprovalGate, ApprovalMethod, ApprovalRequest};
pub use preview::{ChangePreview, PreviewLine};
pub use seal::{Seal, UnsealError};

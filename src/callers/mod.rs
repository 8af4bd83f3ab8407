//! Who calls: how a caller is known, and what is known of them.
//!
//! Who a caller is and which Octopus credential acts for them are two questions. Here is the
//! first; `octopus::Instances` has the second.

mod caller;

pub use caller::{Caller, Grants, Scope, Way, Who};

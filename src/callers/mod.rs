//! Who calls: how a caller is known, and what is known of them.
//!
//! Who a caller is and which Octopus credential acts for them are two questions. Here is the
//! first; `octopus::Instances` has the second.

mod caller;
mod certificate;
mod oauth;
mod proxy;
mod refused;
mod tokens;
mod tokens_file;
mod ways;

pub use caller::{Caller, Grants, Scope, Way, Who};
pub use oauth::Oauth;
pub use proxy::Named;
pub use refused::Refused;
pub use tokens::{Tokens, new_token};
pub use tokens_file::CheckToken;
pub use ways::Ways;

use caller::scope_of_groups;

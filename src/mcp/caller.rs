//! Whoever's request this is.

use crate::octopus::Credentials;

/// Whoever's request this is. The listener makes one for each request, and the protocol carries it
/// to the tools.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// What the caller proves to Octopus who they are with.
    pub credentials: Option<Credentials>,
}

//! Pinned arguments: the settings or the request set their value for all calls.

use super::ScopeLevel;

/// Arguments that the settings or the path and headers of the request pin. Tools do not list pinned
/// arguments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PinnedArguments {
    /// Whether the instance is pinned.
    pub instance: bool,
    /// Whether the space is pinned.
    pub space: bool,
    /// Whether the project is pinned.
    pub project: bool,
}

impl PinnedArguments {
    /// Returns whether this level is pinned.
    pub fn is_pinned(self, level: ScopeLevel) -> bool {
        match level {
            ScopeLevel::Instance => self.instance,
            ScopeLevel::Space => self.space,
            ScopeLevel::Project => self.project,
        }
    }
}

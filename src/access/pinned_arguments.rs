//! Arguments whose value the settings or the request set for all calls.

use super::ScopeLevel;

/// Which arguments the settings or the request's path and headers pin. Tools do not list pinned
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
    pub fn has(self, level: ScopeLevel) -> bool {
        match level {
            ScopeLevel::Instance => self.instance,
            ScopeLevel::Space => self.space,
            ScopeLevel::Project => self.project,
        }
    }
}

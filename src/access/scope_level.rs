//! Levels of scope that can be pinned.

/// A level of scope that can be pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScopeLevel {
    /// An instance.
    Instance,
    /// A space.
    Space,
    /// A project.
    Project,
}

impl ScopeLevel {
    /// Returns the name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Space => "space",
            Self::Project => "project",
        }
    }
}

//! Forms of names that the look-ups of Git references accept.

/// Forms of branch and tag names that `/git/branches/{name}`, `/git/tags/{name}` and
/// `/git/refs/{name}` accept. The API references leave the form open: recorded clients send short
/// names, and links of Octopus contain full names. Tests can run with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GitNames {
    /// Short and full names, such as `main` and `refs/heads/main`.
    #[default]
    Both,
    /// Short names only.
    Short,
    /// Full names only.
    Full,
}

impl GitNames {
    /// Returns whether a name in this form is accepted.
    pub(super) const fn accepts(self, is_full: bool) -> bool {
        match self {
            Self::Both => true,
            Self::Short => !is_full,
            Self::Full => is_full,
        }
    }
}

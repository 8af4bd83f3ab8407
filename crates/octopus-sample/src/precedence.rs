//! Which of two things a text stands for that is the ID of one and the name or slug of the other.

/// What the executions API looks at first. Octopus documents no order, so whatever relies on one is
/// wrong; a test runs with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precedence {
    /// IDs, then names, then slugs.
    #[default]
    Ids,
    /// Names, then slugs, then IDs.
    Names,
    /// Slugs, then IDs, then names.
    Slugs,
}

impl Precedence {
    /// The keys of a thing in the order in which they are compared.
    pub(super) const fn keys(self) -> [&'static str; 3] {
        match self {
            Self::Ids => ["Id", "Name", "Slug"],
            Self::Names => ["Name", "Slug", "Id"],
            Self::Slugs => ["Slug", "Id", "Name"],
        }
    }
}

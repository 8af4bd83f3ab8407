//! Lookup order for texts that are the ID of one resource and the name or slug of another.

/// Lookup order of the executions API. Octopus documents none, so clients must not rely on one;
/// tests can run with each.
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
    /// Returns the keys in the order of comparison.
    pub(super) const fn keys(self) -> [&'static str; 3] {
        match self {
            Self::Ids => ["Id", "Name", "Slug"],
            Self::Names => ["Name", "Slug", "Id"],
            Self::Slugs => ["Slug", "Id", "Name"],
        }
    }
}

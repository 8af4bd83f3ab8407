//! Library variable sets: variables that projects share.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;

use super::{Id, Named, Resource};

/// The fields of a library variable set that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LibraryVariableSet {
    pub id: Id<LibraryVariableSet>,
    pub name: String,
    pub slug: Option<String>,
}

impl Resource for LibraryVariableSet {
    const NOUN: &'static str = "library variable set";
    const ID_PREFIX: &'static str = "LibraryVariableSets-";
    const COLLECTION: &'static str = "libraryvariablesets";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for LibraryVariableSet {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}

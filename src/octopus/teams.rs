//! Teams: who is responsible for what.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;

use super::{Id, Named, Resource};

/// The fields of a team that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Team {
    pub id: Id<Team>,
    pub name: String,
    pub slug: Option<String>,
}

impl Resource for Team {
    const NOUN: &'static str = "team";
    const ID_PREFIX: &'static str = "Teams-";
    const COLLECTION: &'static str = "teams";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Team {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}

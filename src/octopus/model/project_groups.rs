//! Project groups: named groups of projects.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;

use super::resource::{Id, Named, Resource};

/// Fields of a project group that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProjectGroup {
    pub id: Id<ProjectGroup>,
    pub name: String,
    pub slug: Option<String>,
}

impl Resource for ProjectGroup {
    const NOUN: &'static str = "project group";
    const ID_PREFIX: &'static str = "ProjectGroups-";
    const COLLECTION: &'static str = "projectgroups";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for ProjectGroup {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}

//! Runbooks: what is done to run things, beside deploying them.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;

use super::{Id, Named, Resource, projects::Project};

/// The fields of a runbook that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Runbook {
    pub id: Id<Runbook>,
    pub name: String,
    pub slug: Option<String>,
    pub project_id: Option<Id<Project>>,
}

impl Resource for Runbook {
    const NOUN: &'static str = "runbook";
    const ID_PREFIX: &'static str = "Runbooks-";
    const COLLECTION: &'static str = "runbooks";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Runbook {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}

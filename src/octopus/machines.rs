//! Deployment targets; Octopus calls them machines in paths and IDs.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;

use super::{Id, Named, Resource};

/// The fields of a deployment target that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Machine {
    pub id: Id<Machine>,
    pub name: String,
    pub slug: Option<String>,
}

impl Resource for Machine {
    const NOUN: &'static str = "deployment target";
    const ID_PREFIX: &'static str = "Machines-";
    const COLLECTION: &'static str = "machines";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Machine {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}

//! Lifecycles: the order of environments that releases go through.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;

use super::{Id, Named, Resource};

/// The fields of a lifecycle that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Lifecycle {
    pub id: Id<Lifecycle>,
    pub name: String,
    pub slug: Option<String>,
}

impl Resource for Lifecycle {
    const NOUN: &'static str = "lifecycle";
    const ID_PREFIX: &'static str = "Lifecycles-";
    const COLLECTION: &'static str = "lifecycles";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Lifecycle {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}

//! Lifecycles: the phases of environments that releases progress through.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    environments::Environment,
    resource::{Id, Named, Resource},
};

/// Fields of a lifecycle that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Lifecycle {
    pub id: Id<Lifecycle>,
    pub name: String,
    pub slug: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub phases: Vec<Phase>,
}

/// A phase of a lifecycle.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Phase {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub automatic_deployment_targets: Vec<Id<Environment>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_optional_phase: bool,
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

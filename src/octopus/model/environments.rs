//! Environments: the targets of deployments.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::resource::{Id, Named, Resource};
use crate::octopus::client::access_set::{AccessSet, AccessedResource, ResourceKind};

/// Fields of an environment that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Environment {
    pub id: Id<Environment>,
    pub name: String,
    pub slug: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub description: String,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub sort_order: i64,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub use_guided_failure: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub allow_dynamic_infrastructure: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub extension_settings: Vec<serde_json::Value>,
    /// Tags as `Set/Tag`.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub environment_tags: Vec<String>,
}

impl Resource for Environment {
    const NOUN: &'static str = "environment";
    const ID_PREFIX: &'static str = "Environments-";
    const COLLECTION: &'static str = "environments";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
    fn record_access(&self, access_set: &mut AccessSet) {
        access_set.add(ResourceKind::Environment, self.access_entry());
    }
}

impl Environment {
    /// Returns the entry of this environment for policy rules and audit records.
    pub fn access_entry(&self) -> AccessedResource {
        AccessedResource {
            id: self.id.to_string(),
            name: Some(self.name.clone()),
            slug: self.slug.clone(),
            tags: Some(self.environment_tags.clone()),
            ..AccessedResource::default()
        }
    }
}

impl Named for Environment {
    const IS_SMALL_COLLECTION: bool = true;

    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}

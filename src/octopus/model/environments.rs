//! Environments: the targets of deployments.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    resource::{Id, Named, Resource},
    space::Space,
};
use crate::octopus::client::{
    access_set::{AccessSet, AccessedResource, ResourceKind},
    error::Error,
    page::{Page, PageRange},
    version::OctopusVersion,
};

/// Fields of an environment that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Environment {
    pub id: Id<Environment>,
    pub name: String,
    pub slug: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub description: String,
    /// `Static`, `Parent` or `Ephemeral`. Only in `environments/v2`.
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    /// Parent of an ephemeral environment.
    pub parent_environment_id: Option<Id<Environment>>,
    /// Only for static and parent environments; the reference of 2026.3 lists it for v1 only.
    pub sort_order: Option<i64>,
    /// See [`Self::sort_order`].
    pub use_guided_failure: Option<bool>,
    /// Only for static environments, see [`Self::sort_order`].
    pub allow_dynamic_infrastructure: Option<bool>,
    /// Only for static environments, see [`Self::sort_order`].
    pub extension_settings: Option<Vec<serde_json::Value>>,
    /// Tags as `Set/Tag`.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub environment_tags: Vec<String>,
}

impl Resource for Environment {
    const NOUN: &'static str = "environment";
    const ID_PREFIX: &'static str = "Environments-";
    const COLLECTION: &'static str = "environments";
    /// `environments/v2` also has ephemeral and parent environments. The API reference of 2023.4
    /// lacks it and the one of 2026.3 has it.
    const V2_SINCE: Option<OctopusVersion> = Some(OctopusVersion(2024, 1, 0));

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

/// Reads a page of the environments of a space, in their sort order: static and parent
/// environments, then ephemeral ones.
pub async fn list(
    space: &Space,
    partial_name: Option<&str>,
    window: PageRange,
) -> Result<Page<Environment>, Error> {
    let path = space.list_path::<Environment>().await.query_opt("partialName", partial_name);
    let mut page: Page<Environment> = space.list(path, window).await?;
    let incomplete: Vec<&Id<Environment>> = page
        .items
        .iter()
        .filter(|one| one.kind.as_deref() == Some(STATIC) && one.use_guided_failure.is_none())
        .map(|one| &one.id)
        .collect();
    if incomplete.is_empty() {
        return Ok(page);
    }
    // v2 may contain only the common fields, and v1 has the others.
    let path = space.path([Environment::COLLECTION]).query_list("ids", &incomplete);
    let full: Page<Environment> =
        space.list(path, PageRange { skip: 0, take: window.take }).await?;
    for mut full in full.items {
        if let Some(one) = page.items.iter_mut().find(|one| one.id == full.id) {
            full.kind = one.kind.take();
            *one = full;
        }
    }
    Ok(page)
}

/// Type of environments that every version has.
const STATIC: &str = "Static";

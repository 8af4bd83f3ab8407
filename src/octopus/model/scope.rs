//! Environments and tenants that a deployment target, an account or a certificate is restricted to.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{environments::Environment, resource::Id, tenants::Tenant};

/// Environments and tenants that a document is restricted to; flattened into the document.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceScope {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub environment_ids: Vec<Id<Environment>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub tenant_ids: Vec<Id<Tenant>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub tenant_tags: Vec<String>,
    pub tenanted_deployment_participation: Option<String>,
}

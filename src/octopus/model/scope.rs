//! Environments and tenants that a deployment target, an account or a certificate is restricted to.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;

use super::{
    environments::Environment,
    resource::{Id, null_as_default},
    tenants::Tenant,
};

/// Environments and tenants that a document is restricted to; flattened into the document.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceScope {
    #[serde(default, deserialize_with = "null_as_default")]
    pub environment_ids: Vec<Id<Environment>>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub tenant_ids: Vec<Id<Tenant>>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub tenant_tags: Vec<String>,
    pub tenanted_deployment_participation: Option<String>,
}

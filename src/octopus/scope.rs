//! What a deployment target, an account or a certificate may be used for.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;

use super::{Id, environments::Environment, resource::null_as_default, tenants::Tenant};

/// The environments and tenants that a document is for. A part of the document.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Scope {
    #[serde(default, deserialize_with = "null_as_default")]
    pub environment_ids: Vec<Id<Environment>>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub tenant_ids: Vec<Id<Tenant>>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub tenant_tags: Vec<String>,
    pub tenanted_deployment_participation: Option<String>,
}

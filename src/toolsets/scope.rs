//! The environments and tenants that deployment targets, accounts and certificates are scoped to.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    octopus::{Id, Space, environments::Environment, scope, tenants::Tenant},
    tool::{Error, NamesById},
};

/// The environments and tenants of a document, with names. Empty lists mean any.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NamedScope {
    environment_ids: Vec<String>,
    environment_names: Vec<String>,
    tenant_ids: Vec<String>,
    tenant_names: Vec<String>,
    tenant_tags: Vec<String>,
    tenanted_deployment_participation: Option<String>,
}

/// The names of all environments and tenants that a page of documents is scoped to.
#[derive(Debug)]
pub(super) struct ScopeNames {
    environments: NamesById,
    tenants: NamesById,
}

impl ScopeNames {
    /// Looks up the names for these scopes.
    pub(super) async fn of<'a>(
        space: &Space,
        scopes: impl Iterator<Item = &'a scope::ResourceScope> + Clone,
    ) -> Result<Self, Error> {
        let environments = scopes.clone().flat_map(|scope| &scope.environment_ids);
        let tenants = scopes.flat_map(|scope| &scope.tenant_ids);
        let (environments, tenants) = futures::try_join!(
            NamesById::lookup::<Environment>(space, environments),
            NamesById::lookup::<Tenant>(space, tenants),
        )?;
        Ok(Self { environments, tenants })
    }

    /// Adds the names to a scope.
    pub(super) fn with_names(&self, scope: scope::ResourceScope) -> NamedScope {
        NamedScope {
            environment_names: self.environments.all(&scope.environment_ids),
            environment_ids: scope.environment_ids.into_iter().map(Id::into_string).collect(),
            tenant_names: self.tenants.all(&scope.tenant_ids),
            tenant_ids: scope.tenant_ids.into_iter().map(Id::into_string).collect(),
            tenant_tags: scope.tenant_tags,
            tenanted_deployment_participation: scope.tenanted_deployment_participation,
        }
    }
}

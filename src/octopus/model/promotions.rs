//! Environments and tenants to which a release can be deployed, and its progress through the phases
//! of its lifecycle.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    environments::Environment,
    releases::Release,
    resource::{Id, Resource},
    space::Space,
    tenants::Tenant,
};
use crate::octopus::client::error::Error;

/// Allowed targets of a release (`GET /releases/{id}/deployments/template`). The lists contain the
/// environments of completed and current phases in which the caller may deploy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeploymentTemplate {
    /// Environments for deployments without a tenant. `None` if the instance does not say.
    pub promote_to: Option<Vec<AllowedEnvironment>>,
    pub tenant_promotions: Option<Vec<TenantPromotion>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AllowedEnvironment {
    /// `None` if the instance does not say; such an environment is never allowed.
    pub id: Option<Id<Environment>>,
    pub name: Option<String>,
}

/// Allowed environments of a tenant.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TenantPromotion {
    pub id: Option<Id<Tenant>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub promote_to: Vec<AllowedEnvironment>,
}

/// Progress of a release (`GET /releases/{id}/progression`).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Progression {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub phases: Vec<PhaseProgress>,
}

/// Progress of a release through one phase of its lifecycle.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PhaseProgress {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub name: String,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub blocked: bool,
    /// `Pending`, `Current` or `Complete`.
    pub progress: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub automatic_deployment_targets: Vec<Id<Environment>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub optional_deployment_targets: Vec<Id<Environment>>,
}

impl PhaseProgress {
    /// Returns whether the environment belongs to the phase.
    pub fn contains(&self, environment: &Id<Environment>) -> bool {
        let mut ids =
            self.automatic_deployment_targets.iter().chain(&self.optional_deployment_targets);
        ids.any(|id| id == environment)
    }
}

/// Reads the allowed targets of a release. `None` if the caller cannot read them, or if the list
/// is larger than this server reads.
pub async fn deployment_template(
    space: &Space,
    release: &Id<Release>,
) -> Result<Option<DeploymentTemplate>, Error> {
    let path = space.path([Release::COLLECTION, release.as_str(), "deployments", "template"]);
    optional(space.session().get(&path).await)
}

/// Reads the progress of a release. `None` in the cases of [`deployment_template`].
pub async fn progression(
    space: &Space,
    release: &Id<Release>,
) -> Result<Option<Progression>, Error> {
    let path = space.path([Release::COLLECTION, release.as_str(), "progression"]);
    optional(space.session().get(&path).await)
}

fn optional<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Err(
            Error::NotFound { .. }
            | Error::Forbidden { .. }
            | Error::TooLarge { .. }
            | Error::TooManyValues { .. },
        ) => Ok(None),
        read => read.map(Some),
    }
}

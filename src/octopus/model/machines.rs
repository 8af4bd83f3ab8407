//! Deployment targets. Octopus calls them machines in paths and IDs.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use schemars::JsonSchema;
use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    deployments::Deployment,
    environments::Environment,
    resource::{Id, Named, Resource},
    scope::ResourceScope,
    space::Space,
    tenants::Tenant,
};
use crate::octopus::client::{
    error::Error,
    page::{Page, PageRange},
};

/// Fields of a deployment target that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Machine {
    pub id: Id<Machine>,
    pub name: String,
    pub slug: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_disabled: bool,
    /// See [`HealthStatus`]. Unknown values are returned unchanged.
    pub health_status: Option<String>,
    pub status_summary: Option<String>,
    /// Target tags, formerly called roles.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub roles: Vec<String>,
    pub thumbprint: Option<String>,
    pub endpoint: Option<Endpoint>,
    pub operating_system: Option<String>,
    pub shell_name: Option<String>,
    pub machine_policy_id: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub has_latest_calamari: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_in_process: bool,
    #[serde(flatten)]
    pub scope: ResourceScope,
}

/// Communication settings of a target. The fields depend on the communication style.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Endpoint {
    pub id: Option<String>,
    pub communication_style: Option<String>,
    pub uri: Option<String>,
    pub fingerprint: Option<String>,
    pub proxy_id: Option<String>,
    /// Account of SSH, Azure and AWS targets. Empty if the target has no account.
    pub account_id: Option<String>,
    /// Authentication of Kubernetes API targets, with their account.
    pub authentication: Option<Authentication>,
    pub cluster_url: Option<String>,
    pub namespace: Option<String>,
    pub tentacle_version_details: Option<TentacleVersion>,
    pub tentacle_endpoint_configuration: Option<TentacleEndpoint>,
    pub kubernetes_agent_details: Option<KubernetesAgent>,
}

/// Authentication of a Kubernetes API target. The other fields depend on the type.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Authentication {
    /// For example `KubernetesStandard`, `KubernetesCertificate` or `KubernetesAws`.
    pub authentication_type: Option<String>,
    /// Absent if the type needs no account.
    pub account_id: Option<String>,
}

impl Endpoint {
    /// Returns the ID of the account that Octopus uses to connect to the target, if any.
    pub fn account_id(&self) -> Option<&str> {
        let of_cluster = self.authentication.as_ref().and_then(|part| part.account_id.as_deref());
        [self.account_id.as_deref(), of_cluster].into_iter().flatten().find(|id| !id.is_empty())
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TentacleVersion {
    pub version: Option<String>,
    pub upgrade_locked: Option<bool>,
    pub upgrade_suggested: Option<bool>,
    pub upgrade_required: Option<bool>,
    pub upgrade_available: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TentacleEndpoint {
    pub uri: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KubernetesAgent {
    pub agent_version: Option<String>,
    pub tentacle_version: Option<String>,
    pub upgrade_status: Option<String>,
    pub kubernetes_namespace: Option<String>,
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

/// Health states as Octopus spells them.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub enum HealthStatus {
    Healthy,
    HasWarnings,
    Unhealthy,
    Unavailable,
    Unknown,
}

/// Communication styles as Octopus spells them.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub enum CommunicationStyle {
    None,
    TentaclePassive,
    TentacleActive,
    Ssh,
    OfflineDrop,
    AzureWebApp,
    Ftp,
    AzureCloudService,
    AzureServiceFabricCluster,
    Kubernetes,
    KubernetesTentacle,
    StepPackage,
    AwsEcsCluster,
}

/// Filter for deployment targets. An empty list does not filter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub name: Option<String>,
    pub partial_name: Option<String>,
    pub ids: Vec<Id<Machine>>,
    pub roles: Vec<String>,
    pub is_disabled: Option<bool>,
    pub health_statuses: Vec<HealthStatus>,
    pub comm_styles: Vec<CommunicationStyle>,
    pub environments: Vec<Id<Environment>>,
    pub tenants: Vec<Id<Tenant>>,
    pub tenant_tags: Vec<String>,
    pub thumbprint: Option<String>,
    pub deployment: Option<Id<Deployment>>,
    pub shell_names: Vec<String>,
    pub target_types: Vec<String>,
}

/// Reads a page of the deployment targets of a space, ordered by name.
pub async fn list(
    space: &Space,
    filter: &Filter,
    window: PageRange,
) -> Result<Page<Machine>, Error> {
    let health: Vec<_> = filter.health_statuses.iter().map(|word| format!("{word:?}")).collect();
    let styles: Vec<_> = filter.comm_styles.iter().map(|word| format!("{word:?}")).collect();
    let path = space
        .path([Machine::COLLECTION])
        .query_opt("name", filter.name.as_deref())
        .query_opt("partialName", filter.partial_name.as_deref())
        .query_list("ids", &filter.ids)
        .query_list("roles", &filter.roles)
        .query_opt("isDisabled", filter.is_disabled)
        .query_list("healthStatuses", &health)
        .query_list("commStyles", &styles)
        .query_list("environmentIds", &filter.environments)
        .query_list("tenantIds", &filter.tenants)
        .query_list("tenantTags", &filter.tenant_tags)
        .query_opt("thumbprint", filter.thumbprint.as_deref())
        .query_opt("deploymentId", filter.deployment.as_ref())
        .query_list("shellNames", &filter.shell_names)
        .query_list("deploymentTargetTypes", &filter.target_types);
    space.list(path, window).await
}

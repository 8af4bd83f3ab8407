//! A deployment target in the form of the answer.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    octopus::{Space, machines},
    tool::Error,
    toolsets::scope::{NamedScope, ScopeNames},
};

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TargetSummary {
    space_id: String,
    id: String,
    name: String,
    slug: Option<String>,
    is_disabled: bool,
    /// Healthy, HasWarnings, Unhealthy, Unavailable or Unknown.
    health_status: Option<String>,
    status_summary: Option<String>,
    /// Target tags.
    roles: Vec<String>,
    #[serde(flatten)]
    scope: NamedScope,
    endpoint: Option<Endpoint>,
    operating_system: Option<String>,
    shell_name: Option<String>,
    machine_policy_id: Option<String>,
    has_latest_calamari: bool,
    is_in_process: bool,
    url: String,
}

/// Connection from Octopus to the target.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    id: Option<String>,
    communication_style: Option<String>,
    uri: Option<String>,
    fingerprint: Option<String>,
    thumbprint: Option<String>,
    proxy_id: Option<String>,
    /// Account that Octopus connects with.
    account_id: Option<String>,
    /// Of Kubernetes API targets, e.g. KubernetesStandard.
    authentication_type: Option<String>,
    cluster_url: Option<String>,
    namespace: Option<String>,
    tentacle_version_details: Option<TentacleVersion>,
    kubernetes_agent_details: Option<KubernetesAgent>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TentacleVersion {
    version: Option<String>,
    upgrade_locked: Option<bool>,
    upgrade_suggested: Option<bool>,
    upgrade_required: Option<bool>,
    upgrade_available: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct KubernetesAgent {
    agent_version: Option<String>,
    tentacle_version: Option<String>,
    upgrade_status: Option<String>,
    kubernetes_namespace: Option<String>,
}

/// Creates the answer form of targets, with the names of environments and tenants.
pub(super) async fn summaries(
    space: &Space,
    machines: Vec<machines::Machine>,
) -> Result<Vec<TargetSummary>, Error> {
    let names = ScopeNames::of(space, machines.iter().map(|machine| &machine.scope)).await?;
    let target = |machine: machines::Machine| TargetSummary {
        space_id: space.id().to_string(),
        url: space.portal().target(&machine.id),
        id: machine.id.into_string(),
        name: machine.name,
        slug: machine.slug,
        is_disabled: machine.is_disabled,
        health_status: machine.health_status,
        status_summary: machine.status_summary,
        roles: machine.roles,
        scope: names.with_names(machine.scope),
        endpoint: machine.endpoint.map(|part| endpoint(part, machine.thumbprint)),
        operating_system: machine.operating_system,
        shell_name: machine.shell_name,
        machine_policy_id: machine.machine_policy_id,
        has_latest_calamari: machine.has_latest_calamari,
        is_in_process: machine.is_in_process,
    };
    Ok(machines.into_iter().map(target).collect())
}

fn endpoint(endpoint: machines::Endpoint, thumbprint: Option<String>) -> Endpoint {
    let account_id = endpoint.account_id().map(str::to_owned);
    let agent_uri = endpoint.tentacle_endpoint_configuration.and_then(|tentacle| tentacle.uri);
    let version = |details: machines::TentacleVersion| TentacleVersion {
        version: details.version,
        upgrade_locked: details.upgrade_locked,
        upgrade_suggested: details.upgrade_suggested,
        upgrade_required: details.upgrade_required,
        upgrade_available: details.upgrade_available,
    };
    let agent = |details: machines::KubernetesAgent| KubernetesAgent {
        agent_version: details.agent_version,
        tentacle_version: details.tentacle_version,
        upgrade_status: details.upgrade_status,
        kubernetes_namespace: details.kubernetes_namespace,
    };
    Endpoint {
        id: endpoint.id,
        communication_style: endpoint.communication_style,
        uri: endpoint.uri.or(agent_uri),
        fingerprint: endpoint.fingerprint,
        thumbprint,
        proxy_id: endpoint.proxy_id,
        account_id,
        authentication_type: endpoint.authentication.and_then(|part| part.authentication_type),
        cluster_url: endpoint.cluster_url,
        namespace: endpoint.namespace,
        tentacle_version_details: endpoint.tentacle_version_details.map(version),
        kubernetes_agent_details: endpoint.kubernetes_agent_details.map(agent),
    }
}

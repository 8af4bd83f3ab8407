//! Deployment targets, workers, worker pools, machine policies and proxies.

use serde_json::{Map, Value, json};

use super::collection::Collection;
use super::configuration::{by_name, collection, linked};
use super::fixtures::{self, resources};
use crate::random::token;

/// Returns the deployment targets.
pub(super) fn machines() -> Collection {
    let machines = resources(fixtures::MACHINES).into_iter().map(|fixture| {
        described(fixture, |path| {
            json!({
                "TenantedDeploymentParticipation": "Untenanted", "TenantIds": [], "TenantTags": [],
                "Links": {
                    "Self": path, "Connection": format!("{path}/connection"),
                    "TasksTemplate": format!("{path}/tasks{{?skip,take,type}}"),
                    "SinglyScopedVariableDetails": format!("{path}/singlyScopedVariableDetails"),
                },
            })
        })
    });
    by_name(&Collection::new(machines))
}

pub(super) fn workers() -> Collection {
    let workers = resources(fixtures::WORKERS).into_iter().map(|fixture| {
        described(
            fixture,
            |path| json!({ "Links": { "Self": path, "Connection": format!("{path}/connection") } }),
        )
    });
    by_name(&Collection::new(workers))
}

pub(super) fn worker_pools() -> Collection {
    collection(fixtures::WORKER_POOLS, |id, space, _| {
        let path = format!("/api/{space}/workerpools/{id}");
        json!({ "Links": {
            "Self": path,
            "Workers": format!("{path}/workers{{?skip,take,partialName,isDisabled,healthStatuses,commStyles,shellNames}}"),
        } })
    })
}

pub(super) fn machine_policies() -> Collection {
    let policies = collection(fixtures::MACHINE_POLICIES, |id, space, fixture| {
        let is_default = fixture.get("IsDefault").and_then(Value::as_bool).unwrap_or_default();
        let path = format!("/api/{space}/machinepolicies/{id}");
        json!({
            "MachineHealthCheckPolicy": {
                "PowerShellHealthCheckPolicy": { "RunType": "Inline", "ScriptBody": "# default PowerShell health check" },
                "BashHealthCheckPolicy": { "RunType": "Inline", "ScriptBody": "# default bash health check" },
                "HealthCheckInterval": if is_default { "01:00:00" } else { "1.00:00:00" },
                "HealthCheckCron": null, "HealthCheckCronTimezone": "UTC",
                "HealthCheckType": "RunScript",
            },
            "MachineConnectivityPolicy": { "MachineConnectivityBehavior": if is_default {
                "ExpectedToBeOnline" } else { "MayBeOfflineAndCanBeSkipped" } },
            "MachineCleanupPolicy": {
                "DeleteMachinesBehavior": "DoNotDelete", "DeleteMachinesElapsedTimeSpan": "00:00:00",
            },
            "MachineUpdatePolicy": {
                "CalamariUpdateBehavior": "UpdateOnDeployment",
                "TentacleUpdateBehavior": "NeverUpdate",
                "KubernetesAgentUpdateBehavior": "NeverUpdate", "TentacleUpdateAccountId": null,
            },
            "MachineRpcCallRetryPolicy": {
                "Enabled": true, "RetryDuration": "00:02:30", "HealthCheckRetryDuration": "00:02:30",
            },
            "PollingRequestQueueTimeout": "00:10:00",
            "ConnectionRetrySleepInterval": "00:00:01", "ConnectionRetryCountLimit": 5,
            "ConnectionRetryTimeLimit": "00:05:00", "ConnectionConnectTimeout": "00:01:00",
            "Links": {
                "Self": path, "Devices": format!("{path}/machines"),
                "Workers": format!("{path}/workers"),
            },
        })
    });
    by_name(&policies)
}

pub(super) fn proxies() -> Collection {
    collection(
        fixtures::PROXIES,
        |id, space, _| json!({ "Links": { "Self": format!("/api/{space}/proxies/{id}") } }),
    )
}

/// Returns the fields that targets and workers share, with the fields that `rest` adds for the path
/// of the machine.
fn described(mut fixture: Map<String, Value>, rest: impl Fn(&str) -> Value) -> Value {
    let style = fixture.remove("CommunicationStyle");
    let style = style.as_ref().and_then(Value::as_str).unwrap_or("None");
    let text = |key| fixture.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (id, space, name) = (text("Id"), text("SpaceId"), text("Name"));
    let resource = if id.starts_with("Workers") { "workers" } else { "machines" };
    let endpoint = endpoint(style, &id, &name);
    let of_endpoint = |key| endpoint.get(key).cloned().unwrap_or_default();
    let (shell, system) = match style {
        "TentaclePassive" | "TentacleActive" | "Ssh" => ("Bash", "Linux"),
        "KubernetesTentacle" => ("Bash", "Kubernetes"),
        _ => ("", "Unknown"),
    };
    let policy = if space == "Spaces-22" {
        "MachinePolicies-21"
    } else if name.starts_with("edge") {
        "MachinePolicies-2"
    } else {
        "MachinePolicies-1"
    };
    let (thumbprint, uri) = (of_endpoint("Thumbprint"), of_endpoint("Uri"));
    let mut common = json!({
        "Slug": name, "Thumbprint": thumbprint, "Uri": uri, "IsDisabled": false,
        "MachinePolicyId": policy, "HealthStatus": "Healthy", "HasLatestCalamari": true,
        "StatusSummary": "Octopus was able to successfully establish a connection with this machine",
        "IsInProcess": false, "Endpoint": endpoint, "OperatingSystem": system,
        "OperatingSystemVersion": "", "ShellName": shell,
        "ShellVersion": if shell.is_empty() { "" } else { "5.2.15" },
        "Architecture": if shell.is_empty() { "" } else { "x64" }, "SkipInitialHealthCheck": false,
    });
    let rest = rest(&format!("/api/{space}/{resource}/{id}"));
    if let (Some(common), Value::Object(rest)) = (common.as_object_mut(), rest) {
        common.extend(rest);
    }
    linked(fixture, |_, _, _| common.clone())
}

/// Returns the endpoint of a machine. Its keys depend on the communication style.
fn endpoint(style: &str, id: &str, name: &str) -> Value {
    let thumbprint = token(id, 40).to_uppercase();
    let host = format!("{name}.internal.larkspurfreight.example");
    let polling = format!("poll://{}/", token(&format!("{id}/poll"), 20));
    let particular = match style {
        "TentaclePassive" | "TentacleActive" => {
            let passive = style == "TentaclePassive";
            json!({
                "Uri": if passive { format!("https://{host}:10933/") } else { polling },
                "ProxyId": null, "Thumbprint": thumbprint,
                "TentacleVersionDetails": {
                    "UpgradeLocked": false, "Version": "9.0.41", "UpgradeSuggested": false,
                    "UpgradeRequired": false, "UpgradeAvailable": false,
                },
                "CertificateSignatureAlgorithm": "sha256RSA",
            })
        }
        "Ssh" => json!({
            "AccountId": "Accounts-3", "Host": host, "Port": 22,
            "Fingerprint": format!("SHA256:{}", token(&format!("{id}/key"), 43)),
            "Uri": format!("ssh://{host}:22/"), "ProxyId": null,
            "DotNetCorePlatform": "linux-x64", "HostKeyAlgorithm": "ssh-ed25519",
        }),
        "KubernetesTentacle" => json!({
            "TentacleEndpointConfiguration": {
                "CommunicationMode": "Polling", "Thumbprint": thumbprint, "Uri": polling,
                "CertificateSignatureAlgorithm": "sha256RSA",
            },
            "KubernetesAgentDetails": {
                "AgentVersion": "2.28.1", "TentacleVersion": "9.0.41",
                "UpgradeStatus": "NoUpgrades", "HelmReleaseName": name,
                "KubernetesNamespace": format!("octopus-agent-{name}"),
            },
            "UpgradeLocked": false, "DefaultNamespace": "default",
        }),
        "Kubernetes" => json!({
            "ClusterUrl": format!("https://{host}:6443"), "Namespace": "api",
            "ClusterCertificate": null, "SkipTlsVerification": "False",
            "Authentication": { "AuthenticationType": "KubernetesStandard", "AccountId": "Accounts-10" },
            "DefaultWorkerPoolId": "WorkerPools-3", "Container": { "Image": null, "FeedId": null },
        }),
        "AzureWebApp" | "AzureServiceFabricCluster" => json!({
            "AccountId": "Accounts-1", "ResourceGroupName": "freight", "WebAppName": name,
            "DefaultWorkerPoolId": "WorkerPools-2",
        }),
        "AwsEcsCluster" => json!({
            "ClusterName": name, "Region": "eu-west-1", "AccountId": "Accounts-2",
            "UseInstanceRole": false, "DefaultWorkerPoolId": "WorkerPools-3",
        }),
        "StepPackage" => json!({
            "DeploymentTargetTypeId": "azure-app-service-target", "StepPackageId": "azure-app-service-target",
            "StepPackageVersion": "1.4.2", "Inputs": { "appName": name, "account": "Accounts-1" },
            "DefaultWorkerPoolId": "WorkerPools-2",
        }),
        "OfflineDrop" => json!({
            "Destination": { "DestinationType": "Artifact" }, "OctopusWorkingDirectory": "/srv/drop",
            "ApplicationsDirectory": "/srv/applications",
            "SensitiveVariablesEncryptionPassword": { "HasValue": true, "NewValue": null, "Hint": null },
        }),
        _ => json!({ "DefaultWorkerPoolId": "WorkerPools-1" }),
    };
    let mut endpoint = json!({ "CommunicationStyle": style });
    let base = json!({ "Id": null, "LastModifiedOn": null, "LastModifiedBy": null, "Links": {} });
    if let Some(endpoint) = endpoint.as_object_mut() {
        for part in [particular, base] {
            endpoint.extend(part.as_object().cloned().unwrap_or_default());
        }
    }
    endpoint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_health_states_and_communication_styles() {
        let machines = machines();
        for health in ["Healthy", "HasWarnings", "Unhealthy", "Unavailable", "Unknown"] {
            assert!(machines.iter().any(|machine| machine.text("HealthStatus") == health));
        }
        let style =
            |body: &Value| body["Endpoint"]["CommunicationStyle"].as_str().map(str::to_owned);
        let styles: std::collections::HashSet<_> =
            machines.iter().map(|machine| style(&machine.body)).collect();
        assert!(styles.len() >= 11, "{styles:?}");
        assert!(styles.contains(&None), "one target has no endpoint");
        assert!(machines.of_space("Spaces-1").count() > 30);
    }
}

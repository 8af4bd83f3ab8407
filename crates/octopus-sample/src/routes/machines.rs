//! Deployment targets.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::clock::{HOUR, NOW, timestamp};
use super::super::database::Item;
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::filters::{Field, Filter, matches};
use super::missing;

const PAGES: Pages = Pages::of(
    "Machine",
    "skip,take,name,ids,partialName,roles,isDisabled,healthStatuses,commStyles,tenantIds,\
     tenantTags,environmentIds,thumbprint,deploymentId,shellNames,deploymentTargetTypes",
);
const OF_ENVIRONMENT: Pages = Pages {
    item_type: "Machine",
    take: 20,
    parameters: "skip,take,partialName,roles,isDisabled,healthStatuses,commStyles,tenantIds,\
                 tenantTags,shellNames,deploymentTargetTypes",
};

/// Filters that targets and workers share.
pub(super) const IS_DISABLED: Filter = Filter::Flag("isDisabled", "IsDisabled");
pub(super) const HEALTH_STATUSES: Filter =
    Filter::OneOf("healthStatuses", Field::Key("HealthStatus"));
pub(super) const COMM_STYLES: Filter =
    Filter::OneOf("commStyles", Field::Derived(communication_style));
pub(super) const SHELL_NAMES: Filter = Filter::OneOf("shellNames", Field::Key("ShellName"));
pub(super) const THUMBPRINT: Filter = Filter::Matches(matches_thumbprint);

const FILTERS: &[Filter] = &[
    Filter::Ids,
    Filter::Name,
    IS_DISABLED,
    HEALTH_STATUSES,
    COMM_STYLES,
    SHELL_NAMES,
    THUMBPRINT,
    Filter::AnyOf("roles", "Roles"),
    Filter::AnyOf("environmentIds", "EnvironmentIds"),
    Filter::AnyOf("tenantIds", "TenantIds"),
    Filter::AnyOf("tenantTags", "TenantTags"),
    Filter::OneOf("deploymentTargetTypes", Field::Derived(target_type)),
];

/// Answers `/machines`. `deploymentId` selects the targets of that deployment.
pub(super) fn list(call: &Call<'_>) -> ApiResult {
    let deployed_to = match call.query.text("deploymentId") {
        Some(id) => {
            let deployment = call.database.deployments.find(id).ok_or_else(|| missing(id))?;
            Some(deployment.texts("DeployedToMachineIds").collect::<Vec<_>>())
        }
        None => None,
    };
    let is_deployed_to =
        |machine: &&Item| deployed_to.as_ref().is_none_or(|ids| ids.contains(&machine.id.as_str()));
    let machines = call.database.machines.of_space(call.space_id());
    let machines = machines.filter(|machine| matches(FILTERS, call, machine));
    Ok(PAGES.page(call, machines.filter(is_deployed_to)))
}

/// Answers `/machines/{id}/connection`.
pub(super) fn below(call: &Call<'_>, path: &[&str]) -> ApiResult {
    let [id, "connection"] = path else { return Err(ApiError::NoRoute) };
    let machine = call.database.machines.find_in(call.space_id(), id);
    Ok(ApiResponse::value(&connection(machine.ok_or_else(|| missing(id))?)))
}

/// Answers `/machineroles/all`: the target tags in use.
pub(super) fn roles(call: &Call<'_>) -> ApiResult {
    call.require("MachineView")?;
    let machines = call.database.machines.of_space(call.space_id());
    let mut roles: Vec<&str> = machines.flat_map(|machine| machine.texts("Roles")).collect();
    roles.sort_unstable();
    roles.dedup();
    Ok(ApiResponse::value(&json!(roles)))
}

/// Answers `/environments/{id}/machines`, with 20 items per page by default.
pub(super) fn of_environment(call: &Call<'_>, environment: &Item) -> ApiResult {
    call.require("MachineView")?;
    let is_inside =
        |machine: &&Item| machine.texts("EnvironmentIds").any(|id| id == environment.id);
    let machines = call.database.machines.of_space(call.space_id()).filter(is_inside);
    Ok(OF_ENVIRONMENT.page(call, machines.filter(|machine| matches(FILTERS, call, machine))))
}

fn matches_thumbprint(call: &Call<'_>, machine: &Item) -> bool {
    let thumbprint = call.query.text("thumbprint");
    thumbprint.is_none_or(|wanted| wanted.eq_ignore_ascii_case(machine.text("Thumbprint")))
}

fn communication_style(machine: &Item) -> &str {
    of_endpoint(machine, "CommunicationStyle")
}

fn of_endpoint<'a>(machine: &'a Item, key: &str) -> &'a str {
    let endpoint = machine.body.get("Endpoint").and_then(|endpoint| endpoint.get(key));
    endpoint.and_then(Value::as_str).unwrap_or_default()
}

/// Returns the type of a target: that of its step package, or else its communication style.
fn target_type(machine: &Item) -> &str {
    let of_package = of_endpoint(machine, "DeploymentTargetTypeId");
    if of_package.is_empty() { of_endpoint(machine, "CommunicationStyle") } else { of_package }
}

/// Returns the result of the last health check.
fn connection(machine: &Item) -> Value {
    let status = if machine.flag("IsDisabled") {
        "Disabled"
    } else {
        match machine.text("HealthStatus") {
            "Healthy" | "HasWarnings" => "Online",
            "Unavailable" | "Unhealthy" => "Offline",
            _ => "Unknown",
        }
    };
    json!({
        "Id": machine.id, "MachineId": machine.id, "Status": status,
        "CurrentTentacleVersion": "9.0.41", "LastChecked": timestamp(NOW - HOUR),
        "Logs": [{ "Category": "Info", "OccurredAt": timestamp(NOW - HOUR), "MessageText":
            machine.text("StatusSummary"), "Detail": "" }],
        "Links": { "Self": format!("/api/{}/machines/{}/connection", machine.space_id, machine.id) },
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_client::{get, ids};

    #[tokio::test]
    async fn filters_targets_and_workers() {
        let rows = [
            (
                "machines?roles=tracking-db,retired",
                "Machines-114 Machines-102 Machines-103 Machines-101",
            ),
            ("machines?healthStatuses=Unavailable", "Machines-113 Machines-103"),
            ("machines?healthStatuses=unhealthy&isDisabled=false", "Machines-102"),
            ("machines?commStyles=StepPackage,AwsEcsCluster", "Machines-106 Machines-107"),
            ("machines?isDisabled=true", "Machines-115 Machines-114 Machines-108"),
            ("machines?tenantIds=Tenants-1", "Machines-111"),
            ("machines?tenantTags=Region/EMEA", "Machines-112"),
            ("machines?environmentIds=Environments-4&commStyles=Kubernetes", "Machines-109"),
            ("machines?deploymentTargetTypes=azure-app-service-target", "Machines-107"),
            ("machines?deploymentId=Deployments-9010", "Machines-4"),
            ("machines?name=trk-dev-01", "Machines-1"),
            ("machines?partialName=EDGE", "Machines-104"),
            ("machines?ids=Machines-1,Machines-20", "Machines-1"),
            ("machines/all?ids=Machines-2", "Machines-2"),
            ("environments/Environments-1/machines?roles=planner", "Machines-3"),
            ("workers?healthStatuses=Unavailable", "Workers-2"),
            ("workerpools/WorkerPools-3/workers", "Workers-3"),
            ("machinepolicies?partialName=edge", "MachinePolicies-2"),
            ("proxies", "Proxies-1"),
        ];
        for (path, expected) in rows {
            assert_eq!(ids(&format!("/api/Spaces-1/{path}")).await.join(" "), expected, "{path}");
        }
        let one = get("/api/Spaces-1/machines/Machines-114").await;
        assert!(one["Endpoint"].is_null(), "{one}");
        let thumbprint = get("/api/Spaces-1/machines/Machines-1").await["Thumbprint"].clone();
        let path = format!("/api/Spaces-1/machines?thumbprint={}", thumbprint.as_str().unwrap());
        assert_eq!(ids(&path).await, ["Machines-1"]);
    }
}

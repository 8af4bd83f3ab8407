//! `get_kubernetes_live_status`.

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, list_response};

const TOOL: &str = "get_kubernetes_live_status";

async fn status(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok(TOOL, arguments).await
}

#[tokio::test]
async fn lists_unhealthy_objects_first() {
    let server = CheckedServer::start().await;
    let request = json!({ "projectId": "Projects-3", "environmentId": "Environments-3" });
    let found = status(&server, request).await;
    assert_eq!(found["liveStatus"]["summary"]["healthStatus"], "Degraded");
    let problems = found["problems"].as_array().unwrap();
    assert_eq!(problems[2]["name"], "depot-portal-6c9d7bfb8c-x2k4p");
    assert!(problems[2]["message"].as_str().unwrap().contains("0.14.0\": not found"));
    assert_eq!(
        (&problems[3]["kind"], &problems[3]["syncStatus"]),
        (&json!("Service"), &json!("OutOfSync"))
    );
    let text = found.to_string();
    assert!(text.find("\"problems\"") < text.find("\"liveStatus\""));
    assert_snapshot("get_kubernetes_live_status", &found);
    for arguments in [
        json!({ "project": "depot portal", "environment": "PRODUCTION" }),
        json!({ "projectName": "depot-portal", "environmentName": "production" }),
    ] {
        assert_eq!(status(&server, arguments).await, found);
    }
}

#[tokio::test]
async fn summary_mode_omits_object_counts() {
    let server = CheckedServer::start().await;
    let request =
        json!({ "project": "Depot Portal", "environment": "Production", "summaryOnly": true });
    let found = status(&server, request).await;
    assert_eq!(found["liveStatus"]["summary"]["status"], "Degraded");
    assert!(found.get("problems").is_none() && found.get("hint").is_none());
}

#[tokio::test]
async fn looks_up_tenants_in_the_space_of_the_call() {
    let server = CheckedServer::start().await;
    for (tenant, name) in [
        ("Tenants-1", "Brightwater Couriers"),
        ("northgate parcels", "Northgate Parcels"),
        ("castellan-express", "Castellan Express"),
    ] {
        let request = json!({ "project": "Driver App Backend", "environment": "Production", "tenantName": tenant });
        let found = status(&server, request).await;
        assert_eq!(found["tenantName"], name);
        assert!(!found["liveStatus"]["machineStatuses"].as_array().unwrap().is_empty());
        assert!(found.get("hint").is_none());
    }
    let requests = server.take_requests();
    assert!(requests.iter().any(|path| path.starts_with(
        "/api/Spaces-1/projects/Projects-8/environments/Environments-3/tenants/Tenants-1/livestatus"
    )));
}

#[tokio::test]
async fn hints_how_to_enable_monitoring() {
    let server = CheckedServer::start().await;
    let hint =
        async |request: Value| status(&server, request).await["hint"].as_str().unwrap().to_owned();
    let plain = hint(json!({ "project": "Billing Engine", "environment": "Staging" })).await;
    assert!(
        plain.starts_with(
            "nothing is monitored for 'Billing Engine' in 'Staging'. Monitoring requires"
        ),
        "{plain}"
    );
    let either =
        hint(json!({ "project": "Driver App Backend", "environment": "Production" })).await;
    assert!(either.contains("without a tenant; give tenantId"), "{either}");
    let tenant = json!({ "project": "Driver App Backend", "environment": "Production", "tenant": "Tenants-2" });
    let tenant = hint(tenant).await;
    assert!(tenant.contains("for 'Hollis Freight'"), "{tenant}");
    server.server.sample.faults().add(Fault::on("/livestatus").status(404));
    let unmonitored_project =
        status(&server, json!({ "project": "Depot Portal", "environment": "Production" })).await;
    assert_eq!(unmonitored_project.get("liveStatus"), None);
    let unmonitored = "nothing is monitored for 'Depot Portal' in 'Production'";
    assert!(
        unmonitored_project["hint"].as_str().unwrap().starts_with(unmonitored),
        "{unmonitored_project}"
    );
}

#[tokio::test]
async fn passes_on_unknown_status_values() {
    let server = CheckedServer::start().await;
    let body = json!({ "MachineStatuses": [{ "MachineId": "Machines-19", "Status": "Rusty", "Resources": [
        { "Name": "a", "Kind": "Deployment", "HealthStatus": "Rusty", "Children": null, "Namespace": null },
        { "Name": "b", "Kind": "Pod", "HealthStatus": "healthy", "SyncStatus": "insync", "Owner": 7 },
    ]}], "Summary": { "Status": "Rusty", "LastUpdated": null } });
    server.mock_response("/livestatus", &body);
    server.mock_response(
        "/machines",
        &list_response(&json!([{ "Id": "Machines-19", "Name": "freight-prd-cluster" }])),
    );
    let found =
        status(&server, json!({ "project": "Depot Portal", "environment": "Production" })).await;
    assert_eq!(found["problems"].as_array().unwrap().len(), 1);
    assert_eq!(found["problems"][0]["healthStatus"], "Rusty");
    assert_eq!(found["liveStatus"]["machineStatuses"][0]["machineName"], "freight-prd-cluster");
    server.server.sample.faults().clear();
    server.mock_response("/livestatus", &json!({ "MachineStatuses": null, "Summary": null }));
    let none =
        status(&server, json!({ "project": "Depot Portal", "environment": "Production" })).await;
    let unmonitored = "nothing is monitored for 'Depot Portal' in 'Production'";
    assert!(none["hint"].as_str().unwrap().starts_with(unmonitored), "{none}");
}

#[tokio::test]
async fn reports_unsupported_live_status_as_unmonitored() {
    let server = CheckedServer::start().await;
    server.mock_response(
        "/livestatus",
        &json!({ "MachineStatuses": [], "Summary": {
            "Status": "NotSupported", "HealthStatus": "NotSupported", "SyncStatus": "NotApplicable",
            "LastUpdated": "1970-01-01T00:00:00Z",
        } }),
    );
    let request = json!({ "project": "Depot Portal", "environment": "Production" });
    let found = status(&server, request).await;
    let hint = found["hint"].as_str().unwrap();
    assert!(hint.starts_with("nothing is monitored for 'Depot Portal'"), "{hint}");
    let summary = &found["liveStatus"]["summary"];
    assert_eq!(summary["status"], "NotSupported");
    assert!(summary.get("lastUpdated").is_none(), "1970 is no time of an update");
    // The sample answers the same for a project without Kubernetes steps.
    server.server.sample.faults().clear();
    let request = json!({ "project": "Billing Engine", "environment": "Staging" });
    let found = status(&server, request).await;
    assert_eq!(found["liveStatus"]["summary"]["syncStatus"], "NotApplicable");
    assert!(found["hint"].as_str().unwrap().starts_with("nothing is monitored"), "{found}");
}

#[tokio::test]
async fn passes_on_argo_cd_instances_and_orphaned_objects() {
    let server = CheckedServer::start().await;
    let request = json!({ "project": "Depot Portal", "environment": "Development" });
    let found = status(&server, request).await;
    assert_eq!(found["problems"].as_array().unwrap().len(), 1, "{found}");
    let orphan = &found["problems"][0];
    assert_eq!(orphan["name"], "depot-portal-cleanup");
    assert_eq!(orphan["orphanedAt"], "2026-11-01T09:00:00.000+00:00");
    assert_eq!(orphan["deletionTaskState"], "Queued");
    let live = &found["liveStatus"];
    assert_eq!(live["argoCdInstanceStatuses"][0]["name"], "argo-freight");
    assert_eq!(live["summary"]["totalOrphanCount"], 1);
    assert!(live["machineStatuses"][0]["resources"][0].get("sourceType").is_none(), "{live}");
    let object =
        json!({ "Name": "app", "SourceType": "ArgoCDApplication", "ResourceSourceId": "a-1" });
    let body = json!({ "MachineStatuses": [{ "MachineId": "Machines-4", "Resources": [object] }] });
    server.mock_response("/livestatus", &body);
    let request = json!({ "project": "Depot Portal", "environment": "Development" });
    let found = status(&server, request).await;
    let object = &found["liveStatus"]["machineStatuses"][0]["resources"][0];
    assert_eq!(
        (&object["sourceType"], &object["resourceSourceId"]),
        (&json!("ArgoCDApplication"), &json!("a-1"))
    );
}

#[tokio::test]
async fn unhealthy_summary_without_objects_is_explained() {
    let server = CheckedServer::start().await;
    let request = json!({ "project": "Depot Portal", "environment": "Production" });
    let summary =
        json!({ "Status": "Degraded", "HealthStatus": "Degraded", "SyncStatus": "OutOfSync" });
    for (instances, expected) in
        [(json!([{ "Name": "argo-1" }]), "Argo CD application"), (json!(null), "live status page")]
    {
        let body = json!({
            "MachineStatuses": [], "ArgoCDInstanceStatuses": instances, "Summary": summary,
        });
        server.mock_response("/livestatus", &body);
        let found = status(&server, request.clone()).await;
        assert_eq!(found["problems"], json!([]));
        let hint = found["hint"].as_str().unwrap();
        assert!(hint.contains("reports Degraded, OutOfSync") && hint.contains(expected), "{hint}");
        server.server.sample.faults().clear();
    }
}

#[tokio::test]
async fn large_cluster_is_truncated_after_its_problems() {
    let server = CheckedServer::start().await;
    let object = |n: usize| {
        let health = if n.is_multiple_of(100) { "Degraded" } else { "Healthy" };
        json!({ "Name": format!("pod-{n:04}"), "Namespace": "depot", "Kind": "Pod", "HealthStatus": health })
    };
    let objects: Vec<Value> = (0..800).map(object).collect();
    let body = json!({ "MachineStatuses": [{ "MachineId": "Machines-19", "Resources": objects }] });
    server.mock_response("/livestatus", &body);
    let found =
        status(&server, json!({ "project": "Depot Portal", "environment": "Production" })).await;
    assert_eq!(found["problems"].as_array().unwrap().len(), 8);
    assert!(found["truncated"]["fullBytes"].as_u64().unwrap() > 50_000);
}

#[tokio::test]
async fn names_the_required_octopus_version() {
    let server = CheckedServer::with_version("2024.4.1").await;
    let request =
        json!({ "space": "Default", "project": "Depot Portal", "environment": "Production" });
    server
        .assert_error_contains(
            TOOL,
            request.clone(),
            &["needs Octopus 2025.3 or later", "2024.4.1"],
        )
        .await;
    let expected = ["environmentId: this argument is required"];
    server
        .assert_error_contains(
            TOOL,
            json!({ "space": "Default", "project": "Depot Portal" }),
            &expected,
        )
        .await;
    let server = CheckedServer::with_version("2025.3.0").await;
    server.call_ok(TOOL, request).await;
}

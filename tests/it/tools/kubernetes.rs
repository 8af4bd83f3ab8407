//! `get_kubernetes_live_status`.

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::held::{Held, page, snapshot};

const TOOL: &str = "get_kubernetes_live_status";

async fn status(server: &Held, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.answer(TOOL, arguments).await
}

#[tokio::test]
async fn what_is_not_well_comes_first() {
    let server = Held::start().await;
    let wanted = json!({ "projectId": "Projects-3", "environmentId": "Environments-3" });
    let found = status(&server, wanted).await;
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
    snapshot("get_kubernetes_live_status", &found);
    for arguments in [
        json!({ "project": "depot portal", "environment": "PRODUCTION" }),
        json!({ "projectName": "depot-portal", "environmentName": "production" }),
    ] {
        assert_eq!(status(&server, arguments).await, found);
    }
}

#[tokio::test]
async fn the_summary_alone_claims_nothing_of_objects() {
    let server = Held::start().await;
    let wanted =
        json!({ "project": "Depot Portal", "environment": "Production", "summaryOnly": true });
    let found = status(&server, wanted).await;
    assert_eq!(found["liveStatus"]["summary"]["status"], "Degraded");
    assert!(found.get("problems").is_none() && found.get("hint").is_none());
}

#[tokio::test]
async fn a_tenant_is_asked_for_in_its_own_space() {
    let server = Held::start().await;
    for (tenant, name) in [
        ("Tenants-1", "Brightwater Couriers"),
        ("northgate parcels", "Northgate Parcels"),
        ("castellan-express", "Castellan Express"),
    ] {
        let wanted = json!({ "project": "Driver App Backend", "environment": "Production", "tenantName": tenant });
        let found = status(&server, wanted).await;
        assert_eq!(found["tenantName"], name);
        assert!(!found["liveStatus"]["machineStatuses"].as_array().unwrap().is_empty());
        assert!(found.get("hint").is_none());
    }
    let asked = server.requests();
    assert!(asked.iter().any(|path| path.starts_with(
        "/api/Spaces-1/projects/Projects-8/environments/Environments-3/tenants/Tenants-1/livestatus"
    )));
}

#[tokio::test]
async fn where_nothing_is_monitored_it_says_what_that_takes() {
    let server = Held::start().await;
    let hint =
        async |wanted: Value| status(&server, wanted).await["hint"].as_str().unwrap().to_owned();
    let plain = hint(json!({ "project": "Billing Engine", "environment": "Staging" })).await;
    assert!(
        plain.starts_with("nothing is monitored for 'Billing Engine' in 'Staging'. It takes"),
        "{plain}"
    );
    let either =
        hint(json!({ "project": "Driver App Backend", "environment": "Production" })).await;
    assert!(either.contains("name the tenant"), "{either}");
    let tenant = json!({ "project": "Driver App Backend", "environment": "Production", "tenant": "Tenants-2" });
    let tenant = hint(tenant).await;
    assert!(tenant.contains("for 'Hollis Freight'"), "{tenant}");
    server.server.sample.faults().add(Fault::on("/livestatus").status(404));
    let gone =
        status(&server, json!({ "project": "Depot Portal", "environment": "Production" })).await;
    assert!(gone.get("liveStatus").is_none() && gone["hint"].is_string());
}

#[tokio::test]
async fn words_that_octopus_has_not_said_before_are_passed_on() {
    let server = Held::start().await;
    let body = json!({ "MachineStatuses": [{ "MachineId": "Machines-19", "Status": "Rusty", "Resources": [
        { "Name": "a", "Kind": "Deployment", "HealthStatus": "Rusty", "Children": null, "Namespace": null },
        { "Name": "b", "Kind": "Pod", "HealthStatus": "healthy", "SyncStatus": "insync", "Owner": 7 },
    ]}], "Summary": { "Status": "Rusty", "LastUpdated": null } });
    server.says("/livestatus", &body);
    server
        .says("/machines", &page(&json!([{ "Id": "Machines-19", "Name": "freight-prd-cluster" }])));
    let found =
        status(&server, json!({ "project": "Depot Portal", "environment": "Production" })).await;
    assert_eq!(found["problems"].as_array().unwrap().len(), 1);
    assert_eq!(found["problems"][0]["healthStatus"], "Rusty");
    assert_eq!(found["liveStatus"]["machineStatuses"][0]["machineName"], "freight-prd-cluster");
    server.server.sample.faults().clear();
    server.says("/livestatus", &json!({ "MachineStatuses": null, "Summary": null }));
    let none =
        status(&server, json!({ "project": "Depot Portal", "environment": "Production" })).await;
    assert!(none["hint"].is_string());
}

#[tokio::test]
async fn a_big_cluster_stays_within_its_size_and_keeps_its_problems() {
    let server = Held::start().await;
    let object = |n: usize| {
        let health = if n.is_multiple_of(100) { "Degraded" } else { "Healthy" };
        json!({ "Name": format!("pod-{n:04}"), "Namespace": "depot", "Kind": "Pod", "HealthStatus": health })
    };
    let objects: Vec<Value> = (0..800).map(object).collect();
    let body = json!({ "MachineStatuses": [{ "MachineId": "Machines-19", "Resources": objects }] });
    server.says("/livestatus", &body);
    let found =
        status(&server, json!({ "project": "Depot Portal", "environment": "Production" })).await;
    assert_eq!(found["problems"].as_array().unwrap().len(), 8);
    assert!(found["truncated"]["fullBytes"].as_u64().unwrap() > 50_000);
}

#[tokio::test]
async fn an_older_octopus_is_told_which_version_it_takes() {
    let server = Held::version("2024.4.1").await;
    let wanted =
        json!({ "space": "Default", "project": "Depot Portal", "environment": "Production" });
    server.refuses(TOOL, wanted.clone(), &["needs Octopus 2025.3 or later", "2024.4.1"]).await;
    let words = ["environmentId: this argument is required"];
    server.refuses(TOOL, json!({ "space": "Default", "project": "Depot Portal" }), &words).await;
    let server = Held::version("2025.3.0").await;
    server.answer(TOOL, wanted).await;
}

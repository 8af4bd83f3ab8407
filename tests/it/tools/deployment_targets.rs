//! `find_deployment_targets`.

use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, column, list_response};

const TOOL: &str = "find_deployment_targets";

async fn find(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok(TOOL, arguments).await
}

#[tokio::test]
async fn finds_one_target_by_name_slug_or_id() {
    let server = CheckedServer::start().await;
    let target = find(&server, json!({ "targetId": "Machines-111" })).await;
    assert_eq!(target["name"], "brightwater-gw-01");
    assert_eq!(target["environmentNames"], json!(["Production"]));
    assert_eq!(target["tenantNames"], json!(["Brightwater Couriers"]));
    assert_eq!(target["endpoint"]["communicationStyle"], "TentacleActive");
    assert!(
        target["url"].as_str().unwrap().ends_with("/infrastructure/machines/Machines-111/settings")
    );
    for name in ["BRIGHTWATER-gw-01", "machines-111"] {
        assert_eq!(find(&server, json!({ "target": name })).await, target, "{name}");
    }
    let arguments = json!({ "spaceName": "Default", "targetId": "Machines-111" });
    assert_eq!(server.server.call_ok("get_deployment_target", arguments).await, target);
    assert_snapshot(TOOL, &target);
}

#[tokio::test]
async fn shows_targets_without_an_endpoint() {
    let server = CheckedServer::start().await;
    let target = find(&server, json!({ "targetId": "moved-to-cluster" })).await;
    assert_eq!((&target["isDisabled"], target.get("endpoint")), (&json!(true), None));
    server.mock_response("/machines", &list_response(&json!([
        { "Id": "Machines-1", "Name": "Bare" },
        {
            "Id": "Machines-2", "Name": "Odd", "EnvironmentIds": null, "Roles": null, "TenantIds": null,
            "TenantTags": null, "IsDisabled": null, "HasLatestCalamari": null, "HealthStatus": "Sleepy",
            "Endpoint": { "CommunicationStyle": "Telepathy", "TentacleVersionDetails": { "Version": null } },
        },
    ])));
    let bare = find(&server, json!({})).await;
    assert_eq!(column(&bare, "healthStatus"), ["-", "Sleepy"]);
    assert_eq!(bare["items"][1]["endpoint"]["communicationStyle"], "Telepathy");
    assert_eq!(bare["items"][0]["environmentIds"], json!([]));
}

#[tokio::test]
async fn shows_the_account_of_each_endpoint_style() {
    let server = CheckedServer::start().await;
    for (id, style, account) in [
        ("Machines-109", "Kubernetes", json!("Accounts-10")),
        ("Machines-106", "AwsEcsCluster", json!("Accounts-2")),
        ("Machines-111", "TentacleActive", Value::Null),
    ] {
        let target = find(&server, json!({ "targetId": id })).await;
        assert_eq!(target["endpoint"]["communicationStyle"], style, "{id}");
        assert_eq!(target["endpoint"]["accountId"], account, "{id}");
    }
    // The shapes of recorded endpoints.
    let endpoints = [
        (
            json!({ "CommunicationStyle": "Ssh", "AccountId": "Accounts-316" }),
            json!("Accounts-316"),
        ),
        (json!({ "CommunicationStyle": "AwsEcsCluster", "AccountId": "" }), Value::Null),
        (
            json!({ "CommunicationStyle": "Kubernetes", "AccountId": null, "Authentication":
                { "AccountId": "Accounts-392", "AuthenticationType": "KubernetesStandard" } }),
            json!("Accounts-392"),
        ),
        (
            json!({ "CommunicationStyle": "Kubernetes", "Authentication":
                { "AuthenticationType": "KubernetesCertificate", "ClientCertificate": "c" } }),
            Value::Null,
        ),
        (json!({ "CommunicationStyle": "Kubernetes", "Authentication": null }), Value::Null),
    ];
    let machine = |(n, endpoint): (usize, &(Value, Value))| json!({ "Id": format!("Machines-{n}"), "Name": format!("target {n}"), "Endpoint": endpoint.0 });
    let machines: Vec<Value> = endpoints.iter().enumerate().map(machine).collect();
    server.mock_response("/machines", &list_response(&json!(machines)));
    let found = find(&server, json!({})).await;
    for (n, (endpoint, account)) in endpoints.iter().enumerate() {
        assert_eq!(found["items"][n]["endpoint"]["accountId"], *account, "{endpoint}");
    }
    let certificate = &found["items"][3]["endpoint"];
    assert_eq!(certificate["authenticationType"], "KubernetesCertificate");
}

#[tokio::test]
async fn filters_limit_the_results() {
    let server = CheckedServer::start().await;
    for (filter, expected) in [
        (
            json!({ "roles": ["tracking-db", "retired"] }),
            &["Machines-114", "Machines-102", "Machines-103", "Machines-101"][..],
        ),
        (json!({ "healthStatuses": ["Unavailable"] }), &["Machines-113", "Machines-103"]),
        (json!({ "healthStatuses": "Unhealthy", "isDisabled": false }), &["Machines-102"]),
        (
            json!({ "commStyles": ["StepPackage", "AwsEcsCluster"] }),
            &["Machines-106", "Machines-107"],
        ),
        (json!({ "isDisabled": true }), &["Machines-115", "Machines-114", "Machines-108"]),
        (json!({ "tenantIds": "brightwater couriers" }), &["Machines-111"]),
        (json!({ "tenantTags": "Region/EMEA" }), &["Machines-112"]),
        (
            json!({ "environmentIds": ["Environments-4"], "commStyles": "Kubernetes" }),
            &["Machines-109"],
        ),
        (json!({ "environmentIds": "Production", "roles": "depot-edge" }), &["Machines-104"]),
        (json!({ "deploymentTargetTypes": ["azure-app-service-target"] }), &["Machines-107"]),
        (json!({ "deploymentId": "Deployments-9010" }), &["Machines-4"]),
        (json!({ "name": "trk-dev-01" }), &["Machines-1"]),
        (json!({ "partialName": "EDGE" }), &["Machines-104"]),
        (json!({ "ids": ["trk-dev-01", "Machines-104"] }), &["Machines-104", "Machines-1"]),
        (json!({ "shellNames": "NoSuchShell" }), &[]),
        (json!({ "thumbprint": "00" }), &[]),
    ] {
        let found = find(&server, filter.clone()).await;
        assert_eq!(column(&found, "id"), expected, "{filter}");
        if expected.is_empty() {
            let hint = found["hint"].as_str().unwrap();
            assert!(
                hint.contains("no deployment target matches") && hint.contains("leave one out"),
                "{hint}"
            );
        }
    }
    let listed = server.call_ok_once(TOOL, json!({ "space": "Default", "take": 2 })).await;
    let arguments = json!({ "spaceName": "Default", "take": 2 });
    assert_eq!(server.server.call_ok("list_deployment_targets", arguments).await, listed);
    assert_eq!(listed["nextSkip"], 2);
}

#[tokio::test]
async fn rejects_contradictory_arguments() {
    let server = CheckedServer::start().await;
    for (arguments, parts) in [
        (
            json!({ "targetId": "Machines-1", "roles": "x", "take": 1 }),
            &["`targetId` selects one item", "`roles`, `take`"][..],
        ),
        (
            json!({ "healthStatuses": ["Poorly"] }),
            &["healthStatuses", "unknown word `Poorly`", "`Unhealthy`"],
        ),
        (json!({ "commStyles": ["Pigeon"] }), &["commStyles", "`Pigeon`", "`Ssh`"]),
        (json!({ "commStyles": [] }), &["commStyles", "leave the argument out"]),
        (json!({ "tenantTags": ["EMEA"] }), &["tenantTags", "Set/Tag"]),
        (json!({ "deploymentId": "Releases-1" }), &["deployment IDs look like 'Deployments-123'"]),
        (
            json!({ "environmentIds": "Prodution" }),
            &["environment 'Prodution' not found", "'Production'"],
        ),
        (
            json!({ "targetId": "trk-dev-1" }),
            &["deployment target 'trk-dev-1' not found", "'trk-dev-01'", TOOL],
        ),
        (json!({ "targetId": "Machines-999" }), &["deployment target 'Machines-999' not found"]),
        (json!({ "ids": ["Machines-24"] }), &["deployment target 'Machines-24' not found"]),
        (json!({ "take": 0 }), &["take: must be at least 1"]),
    ] {
        let mut arguments = arguments;
        arguments["space"] = json!("Default");
        server.assert_error_contains(TOOL, arguments, parts).await;
    }
}

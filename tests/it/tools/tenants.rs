//! `list_tenants` and `get_tenant_by_id`.

use octopus_sample::keys;
use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, column};

async fn list(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok("list_tenants", arguments).await
}

#[tokio::test]
async fn lists_tenants_by_name() {
    let server = CheckedServer::start().await;
    let all = list(&server, json!({})).await;
    assert_eq!(all["totalResults"], 10);
    assert!(column(&all, "name").is_sorted());
    assert_eq!(
        all["items"][0]["tenantTags"],
        json!(["Region/APAC", "Tier/Gold", "Release Ring/Stable"])
    );
    assert_eq!(all["items"][0]["projectCount"], 3);
    let page = list(&server, json!({ "take": 3, "skip": 9 })).await;
    assert_eq!((column(&page, "id").len(), page.get("nextSkip")), (1, None));
    let other = server.call_ok("list_tenants", json!({ "spaceName": "warehouse-systems" })).await;
    assert_eq!(column(&other, "id"), ["Tenants-41", "Tenants-42"]);
    assert_snapshot(
        "list_tenants",
        &list(&server, json!({ "ids": ["Marrow Lane Markets"] })).await,
    );
}

#[tokio::test]
async fn combines_tenant_filters() {
    let server = CheckedServer::start().await;
    let early_gold = ["Castellan Express", "Northgate Parcels"];
    for tags in [json!("Tier/Gold, Release Ring/Early"), json!(["Tier/Gold", "release ring/early"])]
    {
        assert_eq!(column(&list(&server, json!({ "tags": tags })).await, "name"), early_gold);
    }
    let either = list(&server, json!({ "tags": ["Tier/Silver", "Tier/Bronze"] })).await;
    assert_eq!(either["totalResults"], 6, "tags of one set are alternatives");
    for name in ["projectId", "project", "projectName"] {
        let found =
            list(&server, json!({ name: "driver app backend", "tags": "Release Ring/Early" }))
                .await;
        assert_eq!(column(&found, "name"), early_gold);
    }
    let named =
        list(&server, json!({ "ids": ["hollis freight", "TENANTS-10", "quayside-depots"] })).await;
    assert_eq!(column(&named, "id"), ["Tenants-2", "Tenants-10", "Tenants-3"]);
    let part = list(&server, json!({ "partialName": "PARCEL" })).await;
    assert_eq!(column(&part, "name"), ["Northgate Parcels"]);
}

#[tokio::test]
async fn reports_empty_results_and_invalid_filters() {
    let server = CheckedServer::start().await;
    let none = list(&server, json!({ "partialName": "zzz" })).await;
    assert!(none["hint"].as_str().unwrap().contains("leave one out"));
    let tool = "list_tenants";
    server
        .assert_error_contains(
            tool,
            json!({ "space": "Default", "tags": ["Gold"] }),
            &["'Gold' is not a tag", "Set/Tag"],
        )
        .await;
    for (argument, value, expected) in [
        ("tags", json!(","), "no tag given"),
        ("ids", json!(vec!["Tenants-1"; 201]), "201 entries are too many"),
    ] {
        let arguments = json!({ "space": "Default", argument: value });
        server.assert_error_contains(tool, arguments, &[argument, expected]).await;
    }
    for empty in [json!([]), json!(""), json!([" "])] {
        for argument in ["tags", "ids"] {
            let arguments = json!({ "space": "Default", argument: empty });
            server
                .assert_error_contains(tool, arguments, &[argument, "leave the argument out"])
                .await;
        }
    }
    let expected =
        ["tenant 'Brightwatr Couriers' not found", "'Brightwater Couriers'", "list_tenants"];
    server
        .assert_error_contains(
            tool,
            json!({ "space": "Default", "ids": ["Brightwatr Couriers"] }),
            &expected,
        )
        .await;
}

#[tokio::test]
async fn finds_ids_with_one_request_and_names_with_one_scan() {
    let server = CheckedServer::start().await;
    let looked = async |ids: Value| {
        server.take_requests();
        let arguments = json!({ "space": "Default", "ids": ids });
        let called = server.server.call_as(keys::ADMIN, "list_tenants", arguments).await;
        let sent = server.take_requests().into_iter();
        let sent: Vec<_> = sent.filter(|sent| sent.contains("/tenants?")).collect();
        (called, sent.first().cloned().unwrap())
    };
    list(&server, json!({})).await;
    let (called, sent) = looked(json!(["Tenants-3", "tenants-1"])).await;
    assert_eq!(sent, "/api/Spaces-1/tenants?ids=Tenants-3%2CTenants-1&skip=0&take=2");
    assert_eq!(called.structured["totalResults"], 2);
    let (called, sent) = looked(json!(["Tenants-3", "Brightwater Couriers"])).await;
    assert_eq!(sent, "/api/Spaces-1/tenants?skip=0&take=1000");
    assert_eq!(called.structured["totalResults"], 2);
    let (called, _) = looked(json!(["Tenants-3", "Tenants-999"])).await;
    assert!(called.text.contains("tenant 'Tenants-999' not found"), "{}", called.text);
}

#[tokio::test]
async fn tenant_names_its_projects_and_environments() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Default", "tenantId": "Tenants-1" });
    let tenant = server.call_ok("get_tenant_by_id", arguments).await;
    assert_eq!(tenant["projectEnvironments"][0]["projectName"], "Route Planner");
    assert_eq!(
        tenant["projectEnvironments"][0]["environments"][1],
        json!({ "id": "Environments-3", "name": "Production" })
    );
    for (argument, name) in
        [("tenant", "brightwater COURIERS"), ("tenantName", "brightwater-couriers")]
    {
        let again =
            server.call_ok("get_tenant_by_id", json!({ "space": "default", argument: name })).await;
        assert_eq!(again, tenant);
    }
    assert_snapshot("get_tenant_by_id", &tenant);
    let copied = json!({ "space": "Default", "tenant": "Tenants-5" });
    let copied = server.call_ok("get_tenant_by_id", copied).await;
    assert_eq!(copied["clonedFromTenantName"], "Brightwater Couriers");
    let disabled = json!({ "space": "Default", "tenant": "Quayside Depots" });
    let disabled = server.call_ok("get_tenant_by_id", disabled).await;
    assert_eq!(
        (&disabled["isDisabled"], &disabled["projectEnvironments"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(disabled["description"], "Left us in spring");
}

#[tokio::test]
async fn unknown_tenant_error_suggests_names() {
    let server = CheckedServer::start().await;
    let expected =
        ["tenant 'Holis Freight' not found in space 'Default'", "'Hollis Freight'", "list_tenants"];
    let arguments = json!({ "space": "Default", "tenant": "Holis Freight" });
    server.assert_error_contains("get_tenant_by_id", arguments, &expected).await;
    let arguments = json!({ "space": "Default", "tenant": "Tenants-41" });
    server
        .assert_error_contains(
            "get_tenant_by_id",
            arguments,
            &["tenant 'Tenants-41' not found in space 'Default'"],
        )
        .await;
}

#[tokio::test]
async fn large_tenant_is_truncated_and_can_be_continued() {
    let server = CheckedServer::start().await;
    let connected: serde_json::Map<String, Value> = (1..=500)
        .map(|n| (format!("Projects-{n}"), json!(["Environments-2", "Environments-3"])))
        .collect();
    let tenant = json!({ "Id": "Tenants-1", "Name": "Many", "ProjectEnvironments": connected });
    server.mock_response("/tenants/Tenants-1", &tenant);
    let mut arguments = json!({ "space": "Default", "tenant": "Tenants-1" });
    let cut = server.call_ok("get_tenant_by_id", arguments.clone()).await;
    assert!(cut["truncated"]["how"].as_str().unwrap().contains("maxBytes"));
    arguments["maxBytes"] = json!(100_000);
    let complete = server.call_ok("get_tenant_by_id", arguments).await;
    assert_eq!(complete["projectEnvironments"].as_array().unwrap().len(), 500);
}

//! `find_certificates`.

use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, column, list_response};

const TOOL: &str = "find_certificates";

async fn find(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok(TOOL, arguments).await
}

#[tokio::test]
async fn finds_one_certificate_without_private_key() {
    let server = CheckedServer::start().await;
    let found = find(&server, json!({ "certificateId": "Certificates-5" })).await;
    assert_eq!(found["name"], "brightwater.larkspurfreight.example");
    assert_eq!(found["tenantNames"], json!(["Brightwater Couriers"]));
    assert_eq!(found["daysToExpiry"], 17, "by the clock of Octopus: {found}");
    let named = json!({ "certificate": "Brightwater.larkspurfreight.example" });
    assert_eq!(find(&server, named).await, found);
    let arguments = json!({ "spaceName": "Default", "certificateId": "Certificates-5" });
    assert_eq!(server.server.call_ok("get_certificate", arguments).await, found);
    assert_snapshot(TOOL, &found);
    server.mock_response("/certificates/Certificates-1", &json!({
        "Id": "Certificates-1", "Name": "Told", "CertificateData": { "HasValue": true, "NewValue": "MIIsecret" },
        "Password": { "NewValue": "opensesame" }, "NotAfter": "never", "TenantIds": null,
        "SubjectAlternativeNames": null,
    }));
    let certificate = find(&server, json!({ "certificateId": "Certificates-1" })).await;
    assert!(
        !certificate.to_string().contains("MIIsecret")
            && !certificate.to_string().contains("opensesame")
    );
    assert_eq!(certificate.get("daysToExpiry"), None);
}

#[tokio::test]
async fn filters_limit_the_results() {
    let server = CheckedServer::start().await;
    for (filter, expected) in [
        (json!({ "archived": true }), &["Certificates-8", "Certificates-3"][..]),
        (json!({ "search": "brightwater" }), &["Certificates-5"]),
        (json!({ "tenant": "Brightwater Couriers" }), &["Certificates-5"]),
        (json!({ "ids": ["Certificates-3"] }), &["Certificates-3"]),
        (json!({ "partialName": "staging", "archived": false }), &["Certificates-7"]),
        (json!({ "orderBy": "NotAfter", "take": 2 }), &["Certificates-2", "Certificates-5"]),
        (json!({ "firstResult": 5 }), &["Certificates-1"]),
        (json!({ "partialName": "zzz" }), &[]),
    ] {
        let found = find(&server, filter.clone()).await;
        assert_eq!(column(&found, "id"), expected, "{filter}");
    }
    let archived = find(&server, json!({ "archived": true })).await;
    assert_eq!(archived["items"][1]["replacedBy"], "Certificates-1");
    let none = find(&server, json!({ "partialName": "zzz" })).await;
    assert!(none["hint"].as_str().unwrap().contains("matches partialName; leave one out"));
    let arguments = json!({ "spaceName": "Default" });
    let listed = server.server.call_ok("list_certificates", arguments).await;
    assert_eq!(listed["totalResults"], 6);
    server.mock_response("/certificates", &list_response(&json!([])));
    let none = find(&server, json!({})).await;
    assert!(none["hint"].as_str().unwrap().contains("has no certificate that this user can see"));
}

#[tokio::test]
async fn rejects_contradictory_arguments() {
    let server = CheckedServer::start().await;
    for (arguments, parts) in [
        (
            json!({ "certificateId": "Certificates-1", "search": "x" }),
            &["`certificateId` selects one item", "`search`"][..],
        ),
        (json!({ "certificateId": "Certificates-1", "orderBy": "x" }), &["`orderBy`"]),
        (json!({ "skip": 1, "firstResult": 1 }), &["`skip` is given twice"]),
        (
            json!({ "certificateId": "Certificates-21" }),
            &["certificate 'Certificates-21' not found", TOOL],
        ),
        (json!({ "tenant": "Nobody" }), &["tenant 'Nobody' not found"]),
        (json!({ "ids": [] }), &["ids", "leave the argument out"]),
        (json!({ "take": 0 }), &["take: must be at least 1"]),
    ] {
        let mut arguments = arguments;
        arguments["space"] = json!("Default");
        server.assert_error_contains(TOOL, arguments, parts).await;
    }
}

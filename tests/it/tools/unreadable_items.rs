//! Lists with an item that this server cannot read: the other items are returned, and the answer
//! says what is missing.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
};
use http::header::CONTENT_LENGTH;
use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use super::{
    arguments::sample_calls,
    checked_server::{CheckedServer, column, list_response},
};
use crate::support::TestServer;

/// Tools whose lists contain no parsed documents: `execute` returns items unchanged, and the other
/// reads no list.
const WITHOUT_DOCUMENTS: [&str; 2] = ["execute", "grep_llms_txt"];

/// Starts a server in front of an Octopus that adds an unreadable item to the beginning of every
/// page of a list.
async fn server_with_unreadable_items() -> CheckedServer {
    let sample = Sample::new();
    let router = sample.router().layer(from_fn(add_unreadable_item));
    CheckedServer { server: TestServer::with_router(sample, router, |_| {}).await }
}

async fn add_unreadable_item(request: Request, next: Next) -> Response {
    let (mut parts, body) = next.run(request).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let Ok(mut page) = serde_json::from_slice::<Value>(&body) else {
        return Response::from_parts(parts, body.into());
    };
    if let Some(items) = page.get_mut("Items").and_then(Value::as_array_mut) {
        items.insert(0, json!({ "Id": ["odd"], "Name": 7, "Secret": "hunter2" }));
        page["TotalResults"] = json!(page["TotalResults"].as_u64().unwrap_or_default() + 1);
    }
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(page.to_string()))
}

#[tokio::test]
async fn every_list_shows_the_readable_items() {
    let (clean, odd) = (CheckedServer::start().await, server_with_unreadable_items().await);
    let mut lists = 0;
    for (tool, arguments) in sample_calls() {
        let expected = clean.call_ok(tool, arguments.clone()).await;
        let answer = odd.call_ok(tool, arguments).await;
        let (Some(items), false) = (answer["items"].as_array(), WITHOUT_DOCUMENTS.contains(&tool))
        else {
            continue;
        };
        lists += 1;
        let expected_items = expected["items"].as_array().unwrap();
        // The unreadable item may displace the last item of the page.
        assert!(items.len() + 1 >= expected_items.len(), "{tool}: {answer}");
        let ids = column(&answer, "id");
        assert!(column(&expected, "id").starts_with(&ids), "{tool}: {ids:?}");
        let incomplete = answer["incomplete"][0].as_str().unwrap_or_default();
        assert!(incomplete.starts_with("1 item could not be read"), "{tool}: {answer}");
        assert!(!answer.to_string().contains("hunter2"), "{tool}: {answer}");
    }
    assert!(lists >= 14, "{lists} tools return a list");
}

#[tokio::test]
async fn next_page_begins_after_unreadable_items() {
    let server = CheckedServer::start().await;
    let project = |n: u32| json!({ "Id": format!("Projects-{n}"), "Name": format!("P{n}") });
    let page =
        json!({ "TotalResults": 9, "Items": [project(1), { "Id": "Projects-2", "Name": [] }] });
    server.mock_response("/Spaces-1/projects", &page);
    let list = server.call_ok("list_projects", json!({ "space": "Default", "take": 2 })).await;
    assert_eq!((&list["totalResults"], &list["nextSkip"]), (&json!(9), &json!(2)));
    assert_eq!(
        list["incomplete"],
        json!([
            "1 item could not be read, because Octopus sent an unexpected form: Projects-2 (field `Name`)"
        ])
    );
}

#[tokio::test]
async fn missing_name_may_be_that_of_an_unreadable_item() {
    let server = CheckedServer::start().await;
    let odd = json!({ "Id": "Environments-9", "Name": "Live", "SortOrder": {} });
    let staging = json!({ "Id": "Environments-2", "Name": "Staging" });
    server.mock_response("/Spaces-1/environments", &list_response(&json!([odd, staging])));
    let call = |name: &str| json!({ "space": "Default", "environments": [name] });
    server.call_ok("list_deployments", call("Staging")).await;
    let expected = ["'Live'", "Environments-9 (field `SortOrder`)"];
    server.assert_error_contains("list_deployments", call("Live"), &expected).await;
}

#[tokio::test]
async fn lists_without_pages_show_the_readable_items() {
    let server = CheckedServer::start().await;
    let missing = json!([{ "TenantId": "Tenants-1" }, { "TenantId": 7 }]);
    server.mock_response("variables-missing", &missing);
    let list = server.call_ok("get_missing_tenant_variables", json!({ "space": "Default" })).await;
    assert_eq!(
        (&list["totalResults"], &list["missingVariables"][0]["tenantId"]),
        (&json!(1), &json!("Tenants-1"))
    );
    assert!(list["incomplete"][0].as_str().unwrap().contains("(field `TenantId`)"), "{list}");
    let terms = json!([{ "Id": "Deployed", "Name": "Deployed" }, "Deleted"]);
    server.mock_response("/events/categories", &terms);
    let list = server
        .call_ok("find_events", json!({ "space": "Default", "mode": "listCategories" }))
        .await;
    assert_eq!(column(&list, "id"), ["Deployed"]);
    assert!(
        list["incomplete"][0].as_str().unwrap().starts_with("1 item could not be read"),
        "{list}"
    );
}

#[tokio::test]
async fn dashboard_places_without_deployment_count_as_empty() {
    let server = TestServer::with(|config| config.tools.read_only = false).await;
    let item = json!({ "DeploymentId": null, "EnvironmentId": "Environments-1", "TenantId": null });
    let body = json!({ "Items": [item, { "DeploymentId": "Deployments-1" }, {}] }).to_string();
    server.sample.faults().add(Fault::on("/dashboard").body(&body));
    let arguments = json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0", "environmentNames": ["Development"] });
    let called = server.call_as(keys::ADMIN, "deploy_release", arguments).await;
    assert!(called.text.contains("nothing yet"), "{}", called.text);
}

//! Session limits, per caller and in total.

use octopus_sample::keys;
use reqwest::Method;
use serde_json::json;

use super::{
    Client,
    client::{initialize, request},
    initialize_request, server,
};
use crate::support::send;

#[tokio::test]
async fn sessions_are_limited_per_caller_and_in_total() {
    let server = server(|config| {
        config.http.session_limit = 3;
        config.http.session_limit_per_caller = 2;
    })
    .await;
    let first = Client::connect(&server, keys::ADMIN, json!({})).await;
    let _second = Client::connect(&server, keys::ADMIN, json!({})).await;
    let third = initialize(&server, keys::ADMIN, &json!({})).await;
    assert_eq!((third.status, third.header("retry-after")), (429, "60"));
    let _other = Client::connect(&server, keys::DEFAULT_SPACE_ONLY, json!({})).await;
    let full = initialize(&server, keys::WAREHOUSE_SPACE_ONLY, &json!({})).await;
    assert_eq!((full.status, full.header("retry-after")), (503, "60"));
    let end = request(&server, Method::DELETE, keys::ADMIN, Some(&first.session));
    assert!(send(end).await.status < 300);
    Client::connect(&server, keys::ADMIN, json!({})).await;
}

/// An `initialize` of a revision with sessions starts one, whatever its version header claims.
#[tokio::test]
async fn no_header_bypasses_session_limits() {
    let server = server(|config| config.http.session_limit_per_caller = 2).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let request = server
            .http
            .post(&server.url)
            .header("accept", "application/json, text/event-stream")
            .header("x-octopus-apikey", keys::ADMIN)
            .header("mcp-protocol-version", crate::support::MODERN_VERSION)
            .json(&initialize_request(&json!({})));
        seen.push(send(request).await.status);
    }
    assert!(server.running.as_ref().unwrap().sessions.as_ref().unwrap().count() <= 2, "{seen:?}");
    let capabilities = json!({});
    let at_once = (0..8).map(|_| initialize(&server, keys::DEFAULT_SPACE_ONLY, &capabilities));
    let statuses: Vec<u16> =
        futures::future::join_all(at_once).await.into_iter().map(|reply| reply.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 6, "{statuses:?}");
}

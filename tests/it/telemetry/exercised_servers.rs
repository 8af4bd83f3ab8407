//! Servers on which every counted event occurs, and their metrics.

use octopus_mcp::config::{ApprovalMode, AuthMode, SessionStorage};
use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::metrics::scrape;
use crate::{
    approval::{ApprovalFixture, ApprovalFlow, write_calls},
    http::limits::fill_concurrency_limit,
    rollout::reload::FileConfiguredServer,
    sessions::initialize_request,
    support::{Era, TestServer, wait_until_some},
};

/// Returns the metrics of all servers.
pub async fn all_metrics() -> String {
    let (most, with_a_key) =
        tokio::join!(Box::pin(ordinary_metrics()), Box::pin(configured_key_metrics()));
    let (full, reloaded) = tokio::join!(Box::pin(saturated_metrics()), Box::pin(reload_metrics()));
    [most, with_a_key, full, reloaded].concat()
}

/// Returns the metrics of a server on which most events occur.
async fn ordinary_metrics() -> String {
    let fixture = ApprovalFixture::with(|config| {
        config.http.admin_listen = "127.0.0.1:0".parse().ok();
        config.http.sessions = SessionStorage::Memory;
        config.tools.confirm = ApprovalMode::Code;
        config.limits.caller_rate = 60;
        config.limits.caller_burst = 40;
    })
    .await;
    let server = &fixture.server;
    let call = async |key: &str, tool: &str, arguments: Value| {
        server.call_in(Era::Modern, key, tool, arguments).await
    };
    // Two calls: the second one finds the space in the cache.
    for _ in 0..2 {
        let listed = call(keys::ADMIN, "list_projects", json!({ "space": "Default" })).await;
        assert!(!listed.is_error, "{}", listed.text);
    }
    // A secret that is redacted.
    let arguments = json!({ "space": "Default", "projectId": "Billing Engine", "name": "rates" });
    assert!(call(keys::ADMIN, "get_variables", arguments).await.text.contains("redacted"));
    // A failing tool, then a resource and an unknown API key.
    let arguments = json!({ "method": "GET", "path": "/api/Spaces-1/projects/Projects-99999" });
    let missing = call(keys::ADMIN, "execute", arguments).await;
    assert!(missing.is_error && missing.text.contains("not found"), "{}", missing.text);
    let unknown = "API-NOSUCHKEYNOSUCHKEYNOSUCHKEY";
    let rejected = call(unknown, "list_projects", json!({ "space": "Default" })).await;
    let reason = "check that the API key or token exists";
    assert!(rejected.is_error && rejected.text.contains(reason), "{}", rejected.text);
    let prompt = json!({ "name": "what_is_deployed_where", "arguments": { "space": "Default" } });
    assert_eq!(server.rpc(Era::Modern, "prompts/get", prompt).await.status, 200);
    // Octopus fails during a resource read, which has no result to report the error in.
    server.sample.faults().add(Fault::on("/releases/Releases-9003").status(500));
    let uri = json!({ "uri": "octopus://spaces/Default/releases/Releases-9003" });
    assert_eq!(server.rpc(Era::Modern, "resources/read", uri).await.error_code(), -32603);
    server.sample.faults().clear();
    // A change with preview and approval.
    let flow = ApprovalFlow::ConfirmCode(Era::Modern);
    let (tool, arguments, ..) = write_calls().remove(3);
    let (_, token) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
    fixture.approve(flow, tool, &arguments, &token).await.expect_result();
    // A session.
    assert_eq!(server.post(&[], initialize_request(&json!({})).to_string()).await.status, 200);
    // A rate-limited caller, and one with an unknown credential.
    for _ in 0..45 {
        let _ = server.rpc_as(Era::Modern, keys::VIEW_ONLY, "tools/list", json!({})).await;
    }
    assert_eq!(server.rpc_as(Era::Modern, "API-!", "tools/list", json!({})).await.status, 401);
    scrape(server).await
}

/// Returns the metrics of a server with exhausted limits.
async fn saturated_metrics() -> String {
    let server = TestServer::with(|config| {
        config.http.admin_listen = "127.0.0.1:0".parse().ok();
        config.limits.concurrent_requests = 2;
    })
    .await;
    let (active, _) = fill_concurrency_limit(&server).await;
    let text = scrape(&server).await;
    for call in active {
        call.abort();
    }
    text
}

/// Returns the metrics of a server with a valid and an invalid configuration reload.
async fn reload_metrics() -> String {
    let hosted = FileConfiguredServer::start("");
    hosted.write("nonsense = 1\n");
    wait_until_some(async || hosted.reloads("refused").await).await;
    hosted.write("");
    hosted.send_sighup();
    wait_until_some(async || hosted.reloads("applied").await).await;
    let text = hosted.metrics().await;
    assert_eq!(hosted.serving.stop().0, 0);
    text
}

/// Returns the metrics of a server with a configured API key.
async fn configured_key_metrics() -> String {
    let server = TestServer::with(|config| {
        config.http.admin_listen = "127.0.0.1:0".parse().ok();
        config.auth.mode = Some(AuthMode::None.into());
        config.octopus.api_key = Some(keys::ADMIN.to_owned().into());
    })
    .await;
    wait_until_some(async || {
        let text = scrape(&server).await;
        text.contains("octopus_mcp_credential_remaining_days{").then_some(text)
    })
    .await
}

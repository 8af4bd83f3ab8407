//! Servers to which everything happened that is counted, and what they tell.

use octopus_mcp::config::{AuthMode, Confirm, Sessions};
use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::metrics::text;
use crate::{
    consent::{Desk, Way, changes},
    http::limits::filled,
    rollout::reload::Hosted,
    sessions::greeting,
    support::{Era, TestServer, soon},
};

/// What all of them tell.
pub async fn told() -> String {
    let (most, with_a_key) = tokio::join!(Box::pin(most()), Box::pin(with_a_key()));
    let (full, reloaded) = tokio::join!(Box::pin(full()), Box::pin(reloaded()));
    [most, with_a_key, full, reloaded].concat()
}

/// What a server tells to which most of it happened.
async fn most() -> String {
    let desk = Desk::with(|config| {
        config.http.admin_listen = "127.0.0.1:0".parse().ok();
        config.http.sessions = Sessions::Memory;
        config.tools.confirm = Confirm::Code;
        config.limits.caller_rate = 60;
        config.limits.caller_burst = 40;
    })
    .await;
    let server = &desk.server;
    let call = async |key: &str, tool: &str, arguments: Value| {
        server.call_in(Era::Modern, key, tool, arguments).await
    };
    // Twice: the second time the space is remembered.
    for _ in 0..2 {
        let listed = call(keys::ADMIN, "list_projects", json!({ "space": "Default" })).await;
        assert!(!listed.is_error, "{}", listed.text);
    }
    // A secret that is taken out.
    let arguments = json!({ "space": "Default", "projectId": "Billing Engine", "name": "rates" });
    assert!(call(keys::ADMIN, "get_variables", arguments).await.text.contains("redacted"));
    // A tool that fails, and Octopus that knows neither the thing nor the key.
    let arguments = json!({ "method": "GET", "path": "/api/Spaces-1/projects/Projects-99999" });
    assert!(call(keys::ADMIN, "execute", arguments).await.is_error);
    let unknown = "API-NOSUCHKEYNOSUCHKEYNOSUCHKEY";
    assert!(call(unknown, "list_projects", json!({ "space": "Default" })).await.is_error);
    let prompt = json!({ "name": "what_is_deployed_where", "arguments": { "space": "Default" } });
    assert_eq!(server.ask(Era::Modern, "prompts/get", prompt).await.status, 200);
    // Octopus fails while a resource is read, which has no answer to say it in.
    server.sample.faults().add(Fault::on("/releases/Releases-9003").status(500));
    let uri = json!({ "uri": "octopus://spaces/Default/releases/Releases-9003" });
    assert_eq!(server.ask(Era::Modern, "resources/read", uri).await.code(), -32603);
    server.sample.faults().clear();
    // A change, asked and made.
    let way = Way::Code(Era::Modern);
    let (tool, arguments, ..) = changes().remove(3);
    let (_, sealed) = desk.call(way, tool, &arguments).await.asked();
    desk.agree(way, tool, &arguments, &sealed).await.answered();
    // A session.
    assert_eq!(server.post(&[], greeting(&json!({})).to_string()).await.status, 200);
    // Somebody who has to wait, and somebody whom nobody knows.
    for _ in 0..45 {
        let _ = server.ask_as(Era::Modern, keys::VIEW_ONLY, "tools/list", json!({})).await;
    }
    assert_eq!(server.ask_as(Era::Modern, "API-!", "tools/list", json!({})).await.status, 401);
    text(server).await
}

/// What a server tells that is full.
async fn full() -> String {
    let server = TestServer::with(|config| {
        config.http.admin_listen = "127.0.0.1:0".parse().ok();
        config.limits.concurrent_requests = 2;
    })
    .await;
    let (held, _) = filled(&server).await;
    let told = text(&server).await;
    for call in held {
        call.abort();
    }
    told
}

/// What a server tells whose settings were changed, with a mistake and without.
async fn reloaded() -> String {
    let hosted = Hosted::start("");
    hosted.write("nonsense = 1\n");
    soon(async || hosted.reloads("refused").await).await;
    hosted.write("");
    hosted.hang_up();
    soon(async || hosted.reloads("applied").await).await;
    let told = hosted.metrics().await;
    assert_eq!(hosted.serving.stop().0, 0);
    told
}

/// What a server tells whose settings name a key.
async fn with_a_key() -> String {
    let server = TestServer::with(|config| {
        config.http.admin_listen = "127.0.0.1:0".parse().ok();
        config.auth.mode = Some(AuthMode::None.into());
        config.octopus.api_key = Some(keys::ADMIN.to_owned().into());
    })
    .await;
    soon(async || {
        let told = text(&server).await;
        told.contains("octopus_mcp_credential_remaining_days{").then_some(told)
    })
    .await
}

//! Session termination: by the client, by inactivity, and by server shutdown.

use octopus_mcp::config::DurationSetting;
use octopus_sample::keys;
use reqwest::Method;
use serde_json::json;

use super::{Client, MessageStream, client::request, server};
use crate::support::{send, wait_until_some};

#[tokio::test]
async fn client_can_end_its_session() {
    let server = server(|_| {}).await;
    let client = Client::connect(&server, keys::ADMIN, json!({})).await;
    let end = || request(&server, Method::DELETE, keys::ADMIN, Some(&client.session));
    assert_eq!(send(end()).await.status, 204);
    assert_eq!(send(end()).await.status, 404);
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    assert_eq!(client.post(&list).await.status(), 404);
}

#[tokio::test]
async fn idle_session_ends_but_used_session_does_not() {
    let server = server(|config| {
        config.http.session_idle = DurationSetting(std::time::Duration::from_millis(200));
    })
    .await;
    let listening = Client::connect(&server, keys::ADMIN, json!({})).await;
    let stream = request(&server, Method::GET, keys::ADMIN, Some(&listening.session)).send().await;
    assert_eq!(stream.as_ref().unwrap().status(), 200);
    let idle = Client::connect(&server, keys::ADMIN, json!({})).await;
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" });
    // Reads the count directly, because an HTTP request on the session would renew it.
    let session_count = async || {
        let known = server.running.as_ref().unwrap().sessions.as_ref().unwrap().count();
        (known == 1).then_some(())
    };
    wait_until_some(session_count).await;
    assert_eq!(idle.post(&list).await.status(), 404);
    assert_eq!(listening.post(&list).await.status(), 200);
    drop(stream);
}

#[tokio::test]
async fn server_shutdown_ends_sessions() {
    let mut server = server(|_| {}).await;
    let client = Client::connect(&server, keys::ADMIN, json!({})).await;
    let stream =
        request(&server, Method::GET, keys::ADMIN, Some(&client.session)).send().await.unwrap();
    let mut messages = MessageStream::of(stream);
    let running = server.running.take().unwrap();
    let (ended, ()) = tokio::join!(messages.next(), running.stop());
    assert_eq!(ended, None);
}

//! Session termination: by the client, by inactivity, and by server shutdown.

use octopus_mcp::config::Period;
use octopus_sample::keys;
use reqwest::Method;
use serde_json::json;

use super::{Client, Messages, client::request, server};
use crate::support::{reply, soon};

#[tokio::test]
async fn a_session_ends_when_its_client_says_so() {
    let server = server(|_| {}).await;
    let client = Client::connect(&server, keys::ADMIN, json!({})).await;
    let end = || request(&server, Method::DELETE, keys::ADMIN, Some(&client.session));
    assert_eq!(reply(end()).await.status, 204);
    assert_eq!(reply(end()).await.status, 404);
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    assert_eq!(client.post(&list).await.status(), 404);
}

#[tokio::test]
async fn an_idle_session_ends_and_one_that_is_in_use_does_not() {
    let server = server(|config| {
        config.http.session_idle = Period(std::time::Duration::from_millis(200));
    })
    .await;
    let listening = Client::connect(&server, keys::ADMIN, json!({})).await;
    let stream = request(&server, Method::GET, keys::ADMIN, Some(&listening.session)).send().await;
    assert_eq!(stream.as_ref().unwrap().status(), 200);
    let idle = Client::connect(&server, keys::ADMIN, json!({})).await;
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" });
    // An HTTP request to check the session would count as use.
    let place = async || {
        let known = server.running.as_ref().unwrap().sessions.as_ref().unwrap().count();
        (known == 1).then_some(())
    };
    soon(place).await;
    assert_eq!(idle.post(&list).await.status(), 404);
    assert_eq!(listening.post(&list).await.status(), 200);
    drop(stream);
}

#[tokio::test]
async fn a_stopping_server_ends_its_sessions() {
    let mut server = server(|_| {}).await;
    let client = Client::connect(&server, keys::ADMIN, json!({})).await;
    let stream =
        request(&server, Method::GET, keys::ADMIN, Some(&client.session)).send().await.unwrap();
    let mut messages = Messages::of(stream);
    let running = server.running.take().unwrap();
    let (ended, ()) = tokio::join!(messages.next(), running.stop());
    assert_eq!(ended, None);
}

//! Shutdown: every running call is answered.

use std::time::Duration;

use octopus_mcp::config::DurationSetting;
use octopus_sample::{Fault, keys};
use serde_json::json;

use crate::support::{TestServer, wait_until_some};

fn slow_call(server: &TestServer, key: &str) -> tokio::task::JoinHandle<(u16, String)> {
    let body = json!({ "jsonrpc": "2.0", "id": "slow", "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let request = server
        .http
        .post(&server.url)
        .header("content-type", "application/json")
        .header("x-octopus-apikey", key)
        .body(body.to_string());
    tokio::spawn(async move {
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}

async fn wait_for_upstream_request(server: &TestServer) {
    wait_until_some(async || (!server.sample.journal().is_empty()).then_some(())).await;
}

#[tokio::test]
async fn shutdown_finishes_running_calls_and_accepts_no_new_ones() {
    let mut server = TestServer::with(|config| {
        config.http.drain_timeout = DurationSetting::seconds(20);
        config.http.admin_listen = Some(([127, 0, 0, 1], 0).into());
    })
    .await;
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_secs(3)));
    let call = slow_call(&server, keys::ADMIN);
    wait_for_upstream_request(&server).await;
    let admin = server.running.as_ref().unwrap().admin.as_ref().unwrap().address;
    let running = server.running.take().unwrap();
    let stopping = tokio::spawn(running.stop());
    let readyz = format!("http://{admin}/readyz");
    wait_until_some(async || {
        let status = server.http.get(&readyz).send().await.ok()?.status();
        (status == 503).then_some(())
    })
    .await;
    wait_until_some(async || server.http.get(&server.url).send().await.is_err().then_some(()))
        .await;
    let (status, text) = call.await.unwrap();
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("Warehouse Systems"), "{text}");
    stopping.await.unwrap();
}

#[tokio::test]
async fn call_past_the_drain_deadline_gets_a_shutdown_error() {
    let mut server = TestServer::with(|config| {
        config.http.drain_timeout = DurationSetting(Duration::from_millis(1200));
    })
    .await;
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_mins(1)));
    let call = slow_call(&server, keys::ADMIN);
    wait_for_upstream_request(&server).await;
    server.running.take().unwrap().stop().await;
    let (status, text) = call.await.unwrap();
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("\"slow\"") && text.contains("is stopping"), "{text}");
}

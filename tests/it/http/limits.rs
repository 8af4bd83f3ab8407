//! Size limits, timeouts and the limit of concurrent requests.

use std::time::Duration;

use octopus_mcp::config::{ByteSize, DurationSetting};
use octopus_sample::{Fault, keys};
use reqwest::Response;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use crate::support::{ERAS, Era, Reply, TestServer, wait_until_some};

use super::LIST_TOOLS;

async fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(server.running.as_ref().unwrap().main.address).await.unwrap()
}

/// Sends a text and reads until the server closes the connection.
async fn send_and_read_to_end(server: &TestServer, text: &str) -> String {
    let mut connection = connect(server).await;
    connection.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = connection.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(20), read)
        .await
        .expect("the connection was not closed");
    String::from_utf8_lossy(&answer).into_owned()
}

const HEAD: &str = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                    Accept: */*\r\nX-Octopus-ApiKey: API-X\r\nConnection: close\r\n";

#[tokio::test]
async fn rejects_oversized_body_before_reading_it() {
    let server = TestServer::with(|config| config.http.body_limit = ByteSize(4096)).await;
    // The declared size suffices: no byte of the body is sent.
    let answer =
        send_and_read_to_end(&server, &format!("{HEAD}Content-Length: 1073741824\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("4096 bytes"), "{answer}");
    // A body without a declared size is read up to the limit.
    let chunk = "x".repeat(5000);
    let chunked = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n1388\r\n{chunk}\r\n");
    let answer = send_and_read_to_end(&server, &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let padded = format!("{LIST_TOOLS}{}", " ".repeat(4096 - LIST_TOOLS.len()));
    assert_eq!(
        server.post(&[], padded).await.status,
        200,
        "a body of exactly the limit is accepted"
    );
}

#[tokio::test]
async fn slow_headers_and_bodies_time_out() {
    let server = TestServer::with(|config| {
        config.http.header_timeout = DurationSetting(Duration::from_secs(1));
        config.http.body_timeout = DurationSetting(Duration::from_secs(1));
    })
    .await;
    let silent = send_and_read_to_end(&server, "").await;
    assert_eq!(silent, "", "a connection without a request is closed");
    let head = send_and_read_to_end(&server, "POST /mcp HTTP/1.1\r\nHost: local").await;
    assert!(head.is_empty() || head.starts_with("HTTP/1.1 408 "), "{head}");
    let body =
        send_and_read_to_end(&server, &format!("{HEAD}Content-Length: 100\r\n\r\n{{\"jsonrpc\""))
            .await;
    assert!(body.starts_with("HTTP/1.1 408 "), "{body}");
    assert!(body.contains("\"error\""), "{body}");
}

/// Sends an authenticated keep-alive request and reads the first part of the response.
async fn list_tools_on(connection: &mut TcpStream) -> String {
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{LIST_TOOLS}",
        LIST_TOOLS.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    // The response arrives in parts; the tests only check the status line.
    let mut answer = vec![0; 1024 * 1024];
    let length = connection.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[tokio::test]
async fn only_idle_timeout_closes_used_idle_connections() {
    let server = TestServer::with(|config| {
        config.octopus.api_key = Some(keys::ADMIN.to_owned().into());
        config.http.header_timeout = DurationSetting(Duration::from_secs(1));
    })
    .await;
    let mut used = connect(&server).await;
    assert!(list_tools_on(&mut used).await.starts_with("HTTP/1.1 200 "));
    // A new connection without a request is closed after the header timeout.
    assert_eq!(send_and_read_to_end(&server, "").await, "");
    used.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut response = Vec::new();
    used.read_to_end(&mut response).await.unwrap();
    let response = String::from_utf8_lossy(&response);
    assert!(response.contains("HTTP/1.1 200 OK\r\n"), "{response}");
    let server = TestServer::with(|config| {
        config.http.idle_timeout = DurationSetting(Duration::from_millis(300));
    })
    .await;
    let mut used = connect(&server).await;
    assert!(list_tools_on(&mut used).await.starts_with("HTTP/1.1 "));
    let mut response = Vec::new();
    let ends = used.read_to_end(&mut response);
    let ended = tokio::time::timeout(Duration::from_secs(20), ends).await;
    ended.expect("the connection was not closed").unwrap();
}

#[tokio::test]
async fn slow_call_returns_a_timeout_error() {
    let server = TestServer::with(|config| {
        config.http.request_timeout = DurationSetting(Duration::from_millis(300));
    })
    .await;
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_mins(1)));
    for era in ERAS {
        let reply = server.rpc(era, "tools/call", json!({ "name": "list_spaces" })).await;
        let json = reply.json();
        assert_eq!(json["result"]["isError"], true, "{json}");
        let text = json["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("took longer"), "{text}");
    }
}

#[tokio::test]
async fn slow_call_sends_keep_alive_comments() {
    let server = TestServer::with(|config| {
        config.http.quiet_limit = DurationSetting(Duration::from_millis(50));
    })
    .await;
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_millis(300)));
    for era in ERAS {
        let reply = server.rpc(era, "tools/call", json!({ "name": "list_spaces" })).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "text/event-stream"));
        assert!(reply.text.starts_with(":\n\n"), "{}", reply.text);
        assert_eq!(reply.header("x-accel-buffering"), "no");
        assert!(!reply.text.contains("\nid:"), "streams cannot be resumed, so events have no ID");
        assert_eq!(reply.json()["result"]["structuredContent"]["totalResults"], 2);
    }
    // A client that does not accept event streams gets JSON.
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let reply = server.post(&[("accept", "application/json")], body.to_string()).await;
    assert_eq!(reply.header("content-type"), "application/json");
}

#[tokio::test]
async fn disconnect_cancels_the_call() {
    let server = TestServer::start().await;
    server.sample.faults().add(Fault::on("/deployments").delay(Duration::from_mins(1)));
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "list_deployments", "arguments": { "space": "Default" } } });
    let call = server.post(&[], body.to_string());
    let requests = wait_until_some(async || {
        let journal = server.sample.journal();
        journal.iter().any(|entry| entry.path.ends_with("/deployments")).then_some(())
    });
    // The call and its connection are dropped after Octopus has received the request.
    tokio::select! { _ = call => panic!("the delayed call was answered"), () = requests => {} }
    server.sample.faults().clear();
    let tools = server.rpc(Era::Modern, "tools/list", json!({})).await;
    assert_eq!(tools.status, 200);
    let requests = server.sample.journal();
    assert_eq!(requests.iter().filter(|e| e.path.ends_with("/deployments")).count(), 1);
    assert_eq!(
        requests.iter().filter(|e| e.status.is_none()).count(),
        1,
        "the request to Octopus was cancelled"
    );
}

/// Fills a server that allows two concurrent requests, and returns the reply to a third request.
pub async fn fill_concurrency_limit(
    server: &TestServer,
) -> ([JoinHandle<reqwest::Result<Response>>; 2], Reply) {
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_mins(1)));
    let slow = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let active_calls = [(); 2].map(|()| {
        let request = server.http.post(&server.url).body(slow.to_string());
        let request = request.header("content-type", "application/json");
        tokio::spawn(request.header("x-octopus-apikey", "API-X").send())
    });
    let rejected = wait_until_some(async || {
        let reply = server.post(&[], LIST_TOOLS).await;
        (reply.status == 503).then_some(reply)
    });
    (active_calls, rejected.await)
}

#[tokio::test]
async fn rejects_requests_over_the_limit_except_handshakes() {
    let server = TestServer::with(|config| config.limits.concurrent_requests = 2).await;
    let (active_calls, rejected) = fill_concurrency_limit(&server).await;
    assert_eq!(rejected.header("retry-after"), "1");
    assert_eq!(rejected.json()["id"], "x");
    assert!(rejected.error_message().contains("retry in 1 second"), "{}", rejected.text);
    let client = json!({ "name": "t", "version": "1" });
    let initialize = json!({ "jsonrpc": "2.0", "id": 2, "method": "initialize", "params":
        { "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client } });
    assert_eq!(server.post(&[], initialize.to_string()).await.status, 200);
    let discovered: Value = server.rpc(Era::Modern, "server/discover", json!({})).await.json();
    assert!(discovered["result"].is_object(), "{discovered}");
    for call in active_calls {
        call.abort();
    }
    wait_until_some(async || (server.post(&[], LIST_TOOLS).await.status == 200).then_some(()))
        .await;
}

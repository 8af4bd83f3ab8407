//! Sizes and times: what is too large, too slow or too much is refused early and in words.

use std::time::Duration;

use octopus_mcp::config::{ByteSize, Period};
use octopus_sample::{Fault, keys};
use reqwest::Response;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use crate::support::{ERAS, Era, Reply, TestServer, soon};

use super::LIST;

async fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(server.running.as_ref().unwrap().main.address).await.unwrap()
}

/// Sends what there is, and reads until the server ends the connection.
async fn exchange(server: &TestServer, sent: &str) -> String {
    let mut connection = connect(server).await;
    connection.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = connection.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(20), read).await.expect("it never ended");
    String::from_utf8_lossy(&answer).into_owned()
}

const HEAD: &str = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                    Accept: */*\r\nX-Octopus-ApiKey: API-X\r\nConnection: close\r\n";

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let server = TestServer::with(|config| config.http.body_limit = ByteSize(4096)).await;
    // A declared size is enough: not one byte of it is sent.
    let answer = exchange(&server, &format!("{HEAD}Content-Length: 1073741824\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("4096 bytes"), "{answer}");
    // One without a declared size is read up to the limit.
    let chunk = "x".repeat(5000);
    let chunked = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n1388\r\n{chunk}\r\n");
    let answer = exchange(&server, &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let padded = format!("{LIST}{}", " ".repeat(4096 - LIST.len()));
    assert_eq!(server.post(&[], padded).await.status, 200, "the limit itself fits");
}

#[tokio::test]
async fn slow_heads_and_bodies_are_cut() {
    let server = TestServer::with(|config| {
        config.http.header_timeout = Period(Duration::from_secs(1));
        config.http.body_timeout = Period(Duration::from_secs(1));
    })
    .await;
    let silent = exchange(&server, "").await;
    assert_eq!(silent, "", "a connection without a request is closed");
    let head = exchange(&server, "POST /mcp HTTP/1.1\r\nHost: local").await;
    assert!(head.is_empty() || head.starts_with("HTTP/1.1 408 "), "{head}");
    let body = exchange(&server, &format!("{HEAD}Content-Length: 100\r\n\r\n{{\"jsonrpc\"")).await;
    assert!(body.starts_with("HTTP/1.1 408 "), "{body}");
    assert!(body.contains("\"error\""), "{body}");
}

/// Sends a request whose caller is known and that a connection may go on after, and reads its answer.
async fn ask(connection: &mut TcpStream) -> String {
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{LIST}",
        LIST.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    // The answer comes in pieces; a status line is all of it that is looked at.
    let mut answer = vec![0; 1024 * 1024];
    let length = connection.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[tokio::test]
async fn a_connection_waits_for_its_next_request_longer_than_for_its_first() {
    let server = TestServer::with(|config| {
        config.octopus.api_key = Some(keys::ADMIN.to_owned().into());
        config.http.header_timeout = Period(Duration::from_secs(1));
    })
    .await;
    let mut used = connect(&server).await;
    assert!(ask(&mut used).await.starts_with("HTTP/1.1 200 "));
    // One that came later has waited too long by now.
    assert_eq!(exchange(&server, "").await, "");
    used.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut rest = Vec::new();
    used.read_to_end(&mut rest).await.unwrap();
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains("HTTP/1.1 200 OK\r\n"), "{rest}");
    let server =
        TestServer::with(|config| config.http.idle_timeout = Period(Duration::from_millis(300)))
            .await;
    let mut used = connect(&server).await;
    assert!(ask(&mut used).await.starts_with("HTTP/1.1 "));
    let mut rest = Vec::new();
    let ends = used.read_to_end(&mut rest);
    let ended = tokio::time::timeout(Duration::from_secs(20), ends).await;
    ended.expect("it never ended").unwrap();
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_answered_in_time() {
    let server = TestServer::with(|config| {
        config.http.request_timeout = Period(Duration::from_millis(300));
    })
    .await;
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_mins(1)));
    for era in ERAS {
        let reply = server.ask(era, "tools/call", json!({ "name": "list_spaces" })).await;
        let json = reply.json();
        assert_eq!(json["result"]["isError"], true, "{json}");
        let text = json["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("took longer"), "{text}");
    }
}

#[tokio::test]
async fn a_silent_call_gives_signs_of_life_and_then_its_answer() {
    let server = TestServer::with(|config| {
        config.http.quiet_limit = Period(Duration::from_millis(50));
    })
    .await;
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_millis(300)));
    for era in ERAS {
        let reply = server.ask(era, "tools/call", json!({ "name": "list_spaces" })).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "text/event-stream"));
        assert!(reply.text.starts_with(":\n\n"), "{}", reply.text);
        assert_eq!(reply.header("x-accel-buffering"), "no");
        assert!(!reply.text.contains("\nid:"), "nothing can be resumed, so nothing has an ID");
        assert_eq!(reply.json()["result"]["structuredContent"]["totalResults"], 2);
    }
    // A client that takes no event stream gets none.
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let reply = server.post(&[("accept", "application/json")], body.to_string()).await;
    assert_eq!(reply.header("content-type"), "application/json");
}

#[tokio::test]
async fn whoever_hangs_up_ends_the_call() {
    let server = TestServer::start().await;
    server.sample.faults().add(Fault::on("/deployments").delay(Duration::from_mins(1)));
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "list_deployments", "arguments": { "space": "Default" } } });
    let call = server.post(&[], body.to_string());
    let asked = soon(async || {
        let journal = server.sample.journal();
        journal.iter().any(|entry| entry.path.ends_with("/deployments")).then_some(())
    });
    // The call is dropped, and with it its connection, once Octopus was asked.
    tokio::select! { _ = call => panic!("it cannot have an answer"), () = asked => {} }
    server.sample.faults().clear();
    let listed = server.ask(Era::Modern, "tools/list", json!({})).await;
    assert_eq!(listed.status, 200);
    let asked = server.sample.journal();
    assert_eq!(asked.iter().filter(|e| e.path.ends_with("/deployments")).count(), 1);
    assert_eq!(asked.iter().filter(|e| e.status.is_none()).count(), 1, "Octopus saw it end");
}

/// Fills a server that answers two requests at once, and gives what a third is told.
pub async fn filled(server: &TestServer) -> ([JoinHandle<reqwest::Result<Response>>; 2], Reply) {
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_mins(1)));
    let slow = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let held = [(); 2].map(|()| {
        let request = server.http.post(&server.url).body(slow.to_string());
        let request = request.header("content-type", "application/json");
        tokio::spawn(request.header("x-octopus-apikey", "API-X").send())
    });
    let refused = soon(async || {
        let reply = server.post(&[], LIST).await;
        (reply.status == 503).then_some(reply)
    });
    (held, refused.await)
}

#[tokio::test]
async fn one_request_too_many_is_told_to_come_back_and_greetings_are_not() {
    let server = TestServer::with(|config| config.limits.concurrent_requests = 2).await;
    let (held, refused) = filled(&server).await;
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.json()["id"], "x");
    assert!(refused.message().contains("try again"), "{}", refused.text);
    let client = json!({ "name": "t", "version": "1" });
    let greeting = json!({ "jsonrpc": "2.0", "id": 2, "method": "initialize", "params":
        { "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client } });
    assert_eq!(server.post(&[], greeting.to_string()).await.status, 200);
    let found: Value = server.ask(Era::Modern, "server/discover", json!({})).await.json();
    assert!(found["result"].is_object(), "{found}");
    for call in held {
        call.abort();
    }
    soon(async || (server.post(&[], LIST).await.status == 200).then_some(())).await;
}

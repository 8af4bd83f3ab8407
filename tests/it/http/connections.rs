//! Connection limits: maximum number, eviction order, and idle timeouts.

use std::{net::SocketAddr, process::Command, time::Duration};

use octopus_mcp::config::{Config, DurationSetting};
use octopus_sample::{Fault, keys};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    LIST_TOOLS,
    stalled_clients::{frame_types, http2_request},
};
use crate::{
    cli::ServerProcess,
    support::{TestServer, client, send, wait_until_some},
};

const PREFACE_AND_SETTINGS: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

fn limit_connections(config: &mut Config, connections: u32) {
    config.limits.connections = Some(connections);
    config.http.header_timeout = DurationSetting(Duration::from_mins(10));
    config.http.admin_listen = Some(([127, 0, 0, 1], 0).into());
}

fn addresses(server: &TestServer) -> (SocketAddr, SocketAddr) {
    let running = server.running.as_ref().unwrap();
    (running.main.address, running.admin.as_ref().unwrap().address)
}

async fn connect(address: SocketAddr, first_bytes: &[u8]) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let _ = connection.write_all(first_bytes).await;
    connection
}

/// Reads until the server closes the connection, and returns the received bytes.
async fn read_to_end(connection: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), connection.read_to_end(&mut rest));
    // A reset also closes the connection.
    let _ = ended.await.expect("the connection was not closed");
    rest
}

/// Sends a keep-alive request and reads the first part of the response.
async fn exchange(connection: &mut TcpStream, request: &str) -> String {
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 8192];
    let length = connection.read(&mut answer).await.unwrap_or(0);
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

const HEALTH_REQUEST: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Returns a request whose credential Octopus must accept.
fn list_spaces_request(key: &str) -> String {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces", "arguments": {} } })
    .to_string();
    format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nX-Octopus-ApiKey: {key}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn evicts_idle_connections_for_new_clients() {
    let server = TestServer::with(|config| limit_connections(config, 4)).await;
    let (main, admin) = addresses(&server);
    let mut connections = Vec::new();
    for first_bytes in [b"".as_slice(), b"POST /mcp HTTP/1.1\r\nHost: local", PREFACE_AND_SETTINGS]
    {
        for _ in 0..50 {
            connections.push(connect(main, first_bytes).await);
            connections.push(connect(admin, first_bytes).await);
        }
        assert_eq!(server.post(&[], LIST_TOOLS).await.status, 200);
        for address in [main, admin] {
            let probe = client().get(format!("http://{address}/readyz"));
            assert_eq!(send(probe).await.status, 200, "{address}");
        }
    }
    for connection in connections.iter_mut().take(100) {
        read_to_end(connection).await;
    }
}

#[tokio::test]
async fn new_connections_do_not_interrupt_active_requests() {
    let server = TestServer::with(|config| limit_connections(config, 2)).await;
    let (main, _) = addresses(&server);
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_secs(2)));
    let mut active = [connect(main, b"").await, connect(main, b"").await];
    for (connection, key) in active.iter_mut().zip([keys::ADMIN, keys::VIEW_ONLY]) {
        connection.write_all(list_spaces_request(key).as_bytes()).await.unwrap();
    }
    wait_until_some(async || (server.sample.journal().len() == 2).then_some(())).await;
    for _ in 0..10 {
        read_to_end(&mut connect(main, b"").await).await;
    }
    for connection in &mut active {
        let mut answer = [0; 8192];
        let length = connection.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn connection_limit_per_address_exempts_trusted_proxies() {
    let server = TestServer::with(|config| {
        limit_connections(config, 100);
        config.limits.connections_per_address = 2;
    })
    .await;
    let (main, _) = addresses(&server);
    let mut first = connect(main, b"").await;
    let _others = [connect(main, b"").await, connect(main, b"").await];
    read_to_end(&mut first).await;
    let server = TestServer::with(|config| {
        limit_connections(config, 100);
        config.limits.connections_per_address = 2;
        config.http.trusted_proxies.0 = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let (main, _) = addresses(&server);
    let mut all = Vec::new();
    for _ in 0..20 {
        all.push(connect(main, b"").await);
    }
    for connection in &mut all {
        let answer = exchange(connection, HEALTH_REQUEST).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn long_idle_timeout_applies_only_to_authenticated_callers() {
    let server = TestServer::with(|config| {
        config.http.header_timeout = DurationSetting(Duration::from_secs(2));
    })
    .await;
    let main = server.running.as_ref().unwrap().main.address;
    let mut authenticated = connect(main, b"").await;
    assert!(
        exchange(&mut authenticated, &list_spaces_request(keys::ADMIN))
            .await
            .starts_with("HTTP/1.1 200 ")
    );
    let unauthenticated = [
        HEALTH_REQUEST.to_owned(),
        list_spaces_request("API-INVENTED"),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
    ];
    for request in unauthenticated {
        let mut connection = connect(main, b"").await;
        assert!(exchange(&mut connection, &request).await.starts_with("HTTP/1.1 "), "{request}");
        read_to_end(&mut connection).await;
    }
    // This connection has been idle for longer than the unauthenticated connections.
    assert!(exchange(&mut authenticated, HEALTH_REQUEST).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn idle_http2_connections_are_closed() {
    let server = TestServer::with(|config| {
        config.http.header_timeout = DurationSetting(Duration::from_secs(1));
    })
    .await;
    let main = server.running.as_ref().unwrap().main.address;
    // One connection sends no request; the other one is idle after its response.
    read_to_end(&mut connect(main, PREFACE_AND_SETTINGS).await).await;
    let received = read_to_end(&mut connect(main, &http2_request("/healthz", &[])).await).await;
    assert!(frame_types(&received).contains(&(0, 1)), "the response is complete: {received:?}");
    // No timeout closes this connection.
    let server = TestServer::with(|config| limit_connections(config, 1)).await;
    let (main, _) = addresses(&server);
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let http2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let probe = http2.get(format!("http://{main}/healthz"));
    assert_eq!(send(probe).await.status, 200);
    assert_eq!(server.post(&[], LIST_TOOLS).await.status, 200, "the idle connection is closed");
}

#[cfg(unix)]
#[tokio::test]
async fn listeners_keep_answering_with_64_file_descriptors() {
    let port = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (main, admin) = (port(), port());
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_octopus-mcp")]);
    command.args(["serve", "--sample", "--listen", &main.to_string()]);
    command.env_clear().env("OCTOPUS_MCP_HTTP__ADMIN_LISTEN", admin.to_string());
    let serving = ServerProcess::start(command);
    let mut connections = Vec::new();
    for _ in 0..100 {
        connections.push(connect(main, b"").await);
        connections.push(connect(admin, b"").await);
    }
    for _ in 0..3 {
        for address in [main, admin] {
            let probe = client().get(format!("http://{address}/readyz"));
            assert_eq!(send(probe).await.status, 200, "{address}");
        }
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": "list_spaces", "arguments": {} } });
        let call = client().post(&serving.url).body(call.to_string());
        let call = call.header("content-type", "application/json").header("accept", "*/*");
        let called = send(call).await;
        assert!(called.text.contains("Warehouse Systems"), "{}", called.text);
    }
    drop(connections);
}

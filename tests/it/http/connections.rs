//! Connections: how many there may be, which of them give way, and how long one may be idle.

use std::{net::SocketAddr, process::Command, time::Duration};

use octopus_mcp::config::{Config, Period};
use octopus_sample::{Fault, keys};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    LIST,
    stalled::{http2_request, kinds},
};
use crate::{
    commands::Serving,
    support::{TestServer, client, reply, soon},
};

const PREFACE_AND_SETTINGS: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

fn few(config: &mut Config, connections: u32) {
    config.limits.connections = Some(connections);
    config.http.header_timeout = Period(Duration::from_mins(10));
    config.http.admin_listen = Some(([127, 0, 0, 1], 0).into());
}

fn addresses(server: &TestServer) -> (SocketAddr, SocketAddr) {
    let running = server.running.as_ref().unwrap();
    (running.main.address, running.admin.as_ref().unwrap().address)
}

async fn open(address: SocketAddr, sends: &[u8]) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let _ = connection.write_all(sends).await;
    connection
}

/// Waits until the other side ends a connection, and returns what it sent.
async fn ends(connection: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), connection.read_to_end(&mut rest));
    // A reset is an end as well.
    let _ = ended.await.expect("it never ended");
    rest
}

/// Sends a request that a connection may go on after, and reads the first piece of the answer.
async fn ask(connection: &mut TcpStream, request: &str) -> String {
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 8192];
    let length = connection.read(&mut answer).await.unwrap_or(0);
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

const PROBE: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A request that Octopus has to accept a credential for.
fn call(key: &str) -> String {
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
async fn idle_connections_give_way_to_new_clients_at_both_listeners() {
    let server = TestServer::with(|config| few(config, 4)).await;
    let (main, admin) = addresses(&server);
    let mut held = Vec::new();
    for sends in [b"".as_slice(), b"POST /mcp HTTP/1.1\r\nHost: local", PREFACE_AND_SETTINGS] {
        for _ in 0..50 {
            held.push(open(main, sends).await);
            held.push(open(admin, sends).await);
        }
        assert_eq!(server.post(&[], LIST).await.status, 200);
        for address in [main, admin] {
            let probe = client().get(format!("http://{address}/readyz"));
            assert_eq!(reply(probe).await.status, 200, "{address}");
        }
    }
    for connection in held.iter_mut().take(100) {
        ends(connection).await;
    }
}

#[tokio::test]
async fn requests_under_way_are_not_cut_for_new_connections() {
    let server = TestServer::with(|config| few(config, 2)).await;
    let (main, _) = addresses(&server);
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_secs(2)));
    let mut busy = [open(main, b"").await, open(main, b"").await];
    for (connection, key) in busy.iter_mut().zip([keys::ADMIN, keys::VIEW_ONLY]) {
        connection.write_all(call(key).as_bytes()).await.unwrap();
    }
    soon(async || (server.sample.journal().len() == 2).then_some(())).await;
    for _ in 0..10 {
        ends(&mut open(main, b"").await).await;
    }
    for connection in &mut busy {
        let mut answer = [0; 8192];
        let length = connection.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn one_address_displaces_only_its_own_connections_and_a_proxy_is_exempt() {
    let server = TestServer::with(|config| {
        few(config, 100);
        config.limits.connections_per_address = 2;
    })
    .await;
    let (main, _) = addresses(&server);
    let mut first = open(main, b"").await;
    let _others = [open(main, b"").await, open(main, b"").await];
    ends(&mut first).await;
    let server = TestServer::with(|config| {
        few(config, 100);
        config.limits.connections_per_address = 2;
        config.http.trusted_proxies.0 = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let (main, _) = addresses(&server);
    let mut all = Vec::new();
    for _ in 0..20 {
        all.push(open(main, b"").await);
    }
    for connection in &mut all {
        let answer = ask(connection, PROBE).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_stays_idle_for_long_only_once_its_caller_is_known() {
    let server =
        TestServer::with(|config| config.http.header_timeout = Period(Duration::from_secs(2)))
            .await;
    let main = server.running.as_ref().unwrap().main.address;
    let mut known = open(main, b"").await;
    assert!(ask(&mut known, &call(keys::ADMIN)).await.starts_with("HTTP/1.1 200 "));
    let anonymous = [PROBE.to_owned(), call("API-INVENTED"), "GET / HTTP/1.1\r\n\r\n".to_owned()];
    for request in anonymous {
        let mut connection = open(main, b"").await;
        assert!(ask(&mut connection, &request).await.starts_with("HTTP/1.1 "), "{request}");
        ends(&mut connection).await;
    }
    // It has been idle for longer than these.
    assert!(ask(&mut known, PROBE).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn an_idle_http2_connection_ends_and_gives_way() {
    let server =
        TestServer::with(|config| config.http.header_timeout = Period(Duration::from_secs(1)))
            .await;
    let main = server.running.as_ref().unwrap().main.address;
    // One connection sends no request; the other one is idle after its response.
    ends(&mut open(main, PREFACE_AND_SETTINGS).await).await;
    let sent = ends(&mut open(main, &http2_request("/healthz", &[])).await).await;
    assert!(kinds(&sent).contains(&(0, 1)), "the response has an end: {sent:?}");
    // No time limit ends this one.
    let server = TestServer::with(|config| few(config, 1)).await;
    let (main, _) = addresses(&server);
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let http2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let probe = http2.get(format!("http://{main}/healthz"));
    assert_eq!(reply(probe).await.status, 200);
    assert_eq!(server.post(&[], LIST).await.status, 200, "the idle one gives way");
}

#[cfg(unix)]
#[tokio::test]
async fn with_64_file_descriptors_both_listeners_go_on_answering() {
    let port = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (main, admin) = (port(), port());
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_octopus-mcp")]);
    command.args(["serve", "--sample", "--listen", &main.to_string()]);
    command.env_clear().env("OCTOPUS_MCP_HTTP__ADMIN_LISTEN", admin.to_string());
    let serving = Serving::start(command);
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(open(main, b"").await);
        held.push(open(admin, b"").await);
    }
    for _ in 0..3 {
        for address in [main, admin] {
            let probe = client().get(format!("http://{address}/readyz"));
            assert_eq!(reply(probe).await.status, 200, "{address}");
        }
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": "list_spaces", "arguments": {} } });
        let call = client().post(&serving.url).body(call.to_string());
        let call = call.header("content-type", "application/json").header("accept", "*/*");
        let called = reply(call).await;
        assert!(called.text.contains("Warehouse Systems"), "{}", called.text);
    }
    drop(held);
}

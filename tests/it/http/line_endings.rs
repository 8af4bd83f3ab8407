//! Line endings and control characters in request headers.

use octopus_sample::keys;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::TestServer;

/// Sends bytes and reads until the server closes the connection.
async fn exchange(server: &TestServer, sent: &[u8]) -> String {
    let address = server.running.as_ref().unwrap().main.address;
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(sent).await.unwrap();
    let mut answer = Vec::new();
    // The server may reset the connection after it rejected a request.
    let _ = connection.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Returns a `list_spaces` request with these header lines, which sends a request to Octopus if
/// accepted.
fn list_spaces_request(lines: &str, more: &str) -> String {
    // The line feeds in the body must not affect header parsing.
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces", "arguments": {} } });
    let body = format!("\n\n{body:#}\n{more}");
    format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{lines}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn rejects_bare_line_feed_in_headers() {
    let server = TestServer::start().await;
    let key = format!("X-Octopus-ApiKey: {}", keys::ADMIN);
    let close = "Connection: close\r\n";
    for lines in [
        format!("X-Other: a\n{key}\r\n{close}"),
        format!("{key}\n{close}"),
        format!("{key}\r\nX-Other: \n\r\n{close}"),
        format!("{close}{key}\r\n\n"),
    ] {
        let answer = exchange(&server, list_spaces_request(&lines, "").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{lines:?}: {answer}");
    }
    assert_eq!(server.sample.journal(), [], "no rejected request reaches Octopus");
    // The same after a valid request on the connection.
    let first = list_spaces_request(&format!("{key}\r\n"), "");
    let second = list_spaces_request(&format!("X-Other: a\n{key}\r\n{close}"), "");
    let answer = exchange(&server, format!("{first}{second}").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn accepts_line_feeds_in_bodies() {
    let server = TestServer::start().await;
    let key = format!("X-Octopus-ApiKey: {}\r\n", keys::ADMIN);
    let first = list_spaces_request(&key, &" \n".repeat(50_000));
    let last = list_spaces_request(&format!("{key}Connection: close\r\n"), "");
    let answer = exchange(&server, format!("{first}{first}{last}").as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 3, "{answer}");
    assert_eq!(answer.matches("Warehouse Systems").count() % 3, 0, "{answer}");
}

#[tokio::test]
async fn rejects_control_characters_in_headers() {
    let server = TestServer::start().await;
    for byte in (0_u8..0x20).chain([0x7f]).filter(|byte| !b"\t\n\r".contains(byte)) {
        let mut sent = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a".to_vec();
        sent.push(byte);
        sent.extend(b"b\r\nConnection: close\r\n\r\n");
        let answer = exchange(&server, &sent).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{byte:#x}: {answer}");
    }
    // A carriage return without a line feed is invalid too.
    let alone = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Other: a\rb\r\n\r\n";
    assert!(exchange(&server, alone).await.starts_with("HTTP/1.1 400 "));
    let tab = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\tb\r\nConnection: close\r\n\r\n";
    let answer = exchange(&server, tab).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("a\tb"), "{answer}");
}
